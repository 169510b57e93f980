// SPDX-License-Identifier: Apache-2.0

// Command forgeshapes holds the answers of the fake GitHub, and what our client sends
// it, against GitHub's published description of its API: every field has to be there,
// with that type, and every code. It must not know what the answers mean.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"

	"github.com/bindery/bindery/webhooks"
	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/github"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

const (
	repo  = "acme/site"
	token = "bot-token-0123456789"
)

func main() {
	file := flag.String("openapi", "", "the description, with its references resolved (`file`)")
	flag.Parse()
	if err := run(context.Background(), *file); err != nil {
		fmt.Fprintln(os.Stderr, "forgeshapes:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	d := &description{}
	if err := json.Unmarshal(data, d); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	dir, err := os.MkdirTemp("", "forgeshapes-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fake, err := githubtest.New(ctx, forgetest.Config{
		Dir: dir, Repo: repo, PageSize: 2,
		Users: map[string]forgetest.User{token: {ID: 1, Login: "bindery-bot"}},
	})
	if err != nil {
		return err
	}
	c := &checker{fake: fake, d: d, seen: map[string]int{}}
	server := httptest.NewServer(c)
	defer server.Close()
	if err := exercise(ctx, fake, server.URL); err != nil {
		return err
	}
	for _, w := range c.wrong {
		fmt.Println(w)
	}
	if len(c.wrong) > 0 {
		return fmt.Errorf("%d differences", len(c.wrong))
	}
	fmt.Printf("%d kinds of requests and their answers are as GitHub describes them\n", len(c.seen))
	return nil
}

// exercise makes our client do all that it can.
func exercise(ctx context.Context, fake *githubtest.Server, url string) error {
	commit, err := prepare(ctx, fake)
	if err != nil {
		return err
	}
	f, err := github.New(github.Config{API: url + githubtest.APIPath, Repo: repo, Token: token})
	if err != nil {
		return err
	}
	note := webhooks.Note{Author: 1, Login: "bindery-bot"}
	posted := webhooks.Posted{}
	for _, step := range []func() error{
		func() error { _, err := f.Pulls(ctx); return err },
		func() error { _, err := f.Pull(ctx, 1); return err },
		func() error { _, err := f.Queued(ctx, "refs/heads/main"); return err },
		func() error {
			return f.SetStatus(ctx, commit, webhooks.Status{State: webhooks.Failure, Description: "x"})
		},
		func() error {
			return f.SetStatus(ctx, commit, webhooks.Status{State: webhooks.Success, Description: "y"})
		},
		func() (err error) { posted, err = f.Post(ctx, webhooks.Post{Number: 1, Body: "a"}); return err },
		func() error { _, err := f.Post(ctx, webhooks.Post{Number: 1, Known: posted.ID, Body: "b"}); return err },
		func() error { _, err := f.Post(ctx, webhooks.Post{Number: 1, Body: "c", Anew: true}); return err },
		func() error { _, err := f.MayWrite(ctx, note); return err },
		func() error {
			notes, err := f.Notes(ctx, 1)
			if err != nil {
				return err
			}
			return f.React(ctx, 1, notes[0], webhooks.Done)
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// prepare gives the fake two branches and a pull request.
func prepare(ctx context.Context, fake *githubtest.Server) (string, error) {
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.test"}, args...)...)
		cmd.Dir = fake.RepoDir()
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	tree, err := git("hash-object", "-t", "tree", "-w", os.DevNull)
	if err != nil {
		return "", err
	}
	var commit string
	for _, branch := range []string{"main", "change", "gh-readonly-queue/main/pr-1-x"} {
		args := []string{"commit-tree", tree, "-m", branch}
		if commit != "" {
			args = append(args, "-p", commit)
		}
		if commit, err = git(args...); err != nil {
			return "", err
		}
		if _, err = git("update-ref", "refs/heads/"+branch, commit); err != nil {
			return "", err
		}
	}
	_, err = fake.OpenPull(ctx, forgetest.Pull{Title: "x", Head: "change", BaseRef: "main", Author: forgetest.User{ID: 1, Login: "bindery-bot"}})
	return commit, err
}

// checker stands before the fake and compares.
type checker struct {
	fake  http.Handler
	d     *description
	seen  map[string]int
	wrong []string
}

// ServeHTTP implements http.Handler. The client asks one thing at a time.
func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	c.fake.ServeHTTP(rec, r)
	path := "/" + strings.TrimPrefix(r.URL.Path, githubtest.APIPath)
	c.compare(strings.ToLower(r.Method), path, body, rec)
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (c *checker) compare(method, path string, body []byte, rec *httptest.ResponseRecorder) {
	pattern, op := c.d.find(method, path)
	where := strings.ToUpper(method) + " " + pattern
	if op == nil {
		c.wrong = append(c.wrong, where+path+": there is no such request")
		return
	}
	c.seen[where]++
	c.value(where+" request", op.RequestBody.schema(), body)
	answer, ok := op.Responses[fmt.Sprint(rec.Code)]
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf("%s: no answer has the code %d", where, rec.Code))
		return
	}
	c.value(fmt.Sprintf("%s %d", where, rec.Code), answer.schema(), rec.Body.Bytes())
}

func (c *checker) value(where string, s *schema, data []byte) {
	if len(data) == 0 || s == nil {
		return
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		c.wrong = append(c.wrong, where+": "+err.Error())
		return
	}
	c.wrong = append(c.wrong, s.check(where, v)...)
}
