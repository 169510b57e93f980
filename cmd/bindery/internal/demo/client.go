// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// maxAnswer bounds what a server may answer.
const maxAnswer = 8 << 20

// client asks the servers of the demo as a person does with curl.
type client struct {
	http  *http.Client
	forge string // http://…
	repo  string
	token string
}

func newClient(forge, repo, token string) *client {
	return &client{http: &http.Client{Timeout: 20 * time.Second}, forge: forge, repo: repo, token: token}
}

// pull is a pull request as the forge tells it.
type pull struct {
	Number int `json:"number"`
	Head   struct {
		SHA string `json:"sha"`
	} `json:"head"`
}

type comment struct {
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

type check struct {
	State, Context, Description string
}

// of is the URL of something of the repository.
func (c *client) of(format string, args ...any) string {
	return c.forge + githubtest.APIPath + "repos/" + c.repo + "/" + fmt.Sprintf(format, args...)
}

func (c *client) open(ctx context.Context, title, head, base string) (pull, error) {
	var p pull
	err := c.do(ctx, http.MethodPost, c.of("pulls"), map[string]string{"title": title, "head": head, "base": base}, &p)
	return p, err
}

func (c *client) merge(ctx context.Context, number int) (sha string, err error) {
	var merged struct {
		SHA string `json:"sha"`
	}
	err = c.do(ctx, http.MethodPut, c.of("pulls/%d/merge", number), map[string]string{"merge_method": "merge"}, &merged)
	return merged.SHA, err
}

func (c *client) comments(ctx context.Context, number int) (list []comment, err error) {
	err = c.do(ctx, http.MethodGet, c.of("issues/%d/comments", number), nil, &list)
	return list, err
}

// checks lists a commit's statuses, the newest first.
func (c *client) checks(ctx context.Context, commit string) (list []check, err error) {
	err = c.do(ctx, http.MethodGet, c.of("commits/%s/statuses", commit), nil, &list)
	return list, err
}

func (c *client) deliveries(ctx context.Context) (list []delivery, err error) {
	err = c.do(ctx, http.MethodGet, c.forge+deliveriesPath(c.repo), nil, &list)
	return list, err
}

// do sends one request. The token goes to the forge alone.
func (c *client) do(ctx context.Context, method, url string, body, into any) error {
	var data io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, url, err)
		}
		data = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, data)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	if strings.HasPrefix(url, c.forge+"/") {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.200s", method, url, answer.Status, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	return nil
}
