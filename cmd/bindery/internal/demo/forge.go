// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// Accounts of the forge: a person, and the controller's.
const (
	person = "alice"
	robot  = "bindery-bot"
)

// forgeSettings is what the process of the forge is told, in a file that its owner
// alone can read: there are secrets in it.
type forgeSettings struct {
	Listen string `json:"listen"`
	Dir    string `json:"dir"`
	Repo   string `json:"repo"`
	// Tokens are the accounts' own.
	Tokens     map[string]string `json:"tokens"`
	HookURL    string            `json:"hook_url"`
	HookSecret string            `json:"hook_secret"`
}

// deliveriesPath is where GitHub lists what it sent to a hook; the demo has one.
func deliveriesPath(repo string) string {
	return githubtest.APIPath + "repos/" + repo + "/hooks/1/deliveries"
}

// delivery is one row of that list.
type delivery struct {
	GUID   string `json:"guid"`
	Event  string `json:"event"`
	Status int    `json:"status_code"`
}

// Forge runs the demo's forge until the context ends.
func Forge(ctx context.Context, file string, log *slog.Logger) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("forge: %w", err)
	}
	var s forgeSettings
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("forge: read %s: %w", file, err)
	}
	users := map[string]githubtest.User{}
	for i, name := range []string{person, robot} {
		if s.Tokens[name] == "" {
			return fmt.Errorf("forge: %s has no token for %s", file, name)
		}
		users[s.Tokens[name]] = githubtest.User{ID: int64(101 + i), Login: name}
	}
	server, err := githubtest.New(ctx, githubtest.Config{
		Dir: s.Dir, Repo: s.Repo, Users: users, HookURL: s.HookURL, HookSecret: []byte(s.HookSecret), Logger: log,
	})
	if err != nil {
		return fmt.Errorf("forge: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET "+deliveriesPath(s.Repo), func(w http.ResponseWriter, _ *http.Request) {
		list := []delivery{}
		for _, d := range server.Deliveries() {
			list = append(list, delivery{d.ID, d.Event, d.Code})
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			log.Warn("answer broken off", "err", err)
		}
	})
	return serve(ctx, s.Listen, mux)
}

func serve(ctx context.Context, address string, h http.Handler) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("forge: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("forge: %w", err)
	}
	return nil
}
