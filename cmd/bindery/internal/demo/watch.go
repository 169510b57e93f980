// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

func trim(s string) string { return strings.TrimSpace(s) }

// overview is what the controller tells of its own work.
type overview struct {
	Repositories []struct {
		Ref, Commit, Outcome, Detail string
	} `json:"repositories"`
}

// settled waits until the controller has decided about a commit of the branch.
func (d *Demo) settled(ctx context.Context, commit string) (outcome, detail string, err error) {
	err = d.until(ctx, fmt.Sprintf("the controller settled commit %.10s", commit), func(ctx context.Context) (bool, error) {
		var o overview
		if err := d.client.do(ctx, http.MethodGet, "http://"+d.admin+"/api/v1/overview", nil, &o); err != nil {
			return false, err
		}
		for _, r := range o.Repositories {
			if r.Ref == "refs/heads/"+branch && r.Commit == commit {
				outcome, detail = r.Outcome, r.Detail
				return true, nil
			}
		}
		return false, nil
	})
	return outcome, detail, err
}

// seen is a host as "bindery hosts show" tells it.
type seen struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	State   string `json:"state"`
	Release *struct {
		Sequence int64  `json:"sequence"`
		Commit   string `json:"commit"`
		Waiting  bool   `json:"waiting"`
	} `json:"release"`
	Report  *report  `json:"report"`
	Reports []report `json:"reports"`
}

type report struct {
	Sequence    int64  `json:"sequence"`
	Commit      string `json:"commit"`
	State       string `json:"state"`
	Total       int    `json:"total"`
	Good        int    `json:"good"`
	Bad         int    `json:"bad"`
	Modified    int    `json:"modified"`
	NotVerified int    `json:"not_verified"`
}

func (d *Demo) host(ctx context.Context, name string) (seen, error) {
	var h seen
	out, err := d.run(ctx, "", nil, "bindery", "hosts", "show", name, "--config", "controller.yaml", "--format", "json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &h)
	}
	return h, err
}

// released waits until a host's release is of a kind.
func (d *Demo) released(ctx context.Context, name, what string, is func(seen) bool) (h seen, err error) {
	err = d.until(ctx, name+" "+what, func(ctx context.Context) (bool, error) {
		var err error
		h, err = d.host(ctx, name)
		return err == nil && is(h), err
	})
	return h, err
}
