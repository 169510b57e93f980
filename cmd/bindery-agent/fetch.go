// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/relay"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
	"github.com/bindery/bindery/internal/transport"
)

// What both halves have in common; the packages make the folders.
const (
	fetchedDir  = "/var/lib/bindery-fetch"
	requestsDir = "/var/spool/bindery"
	fetchUnit   = "bindery-agent-fetch.service"
)

const (
	// requestTimeout bounds one request, a whole release included.
	requestTimeout = 5 * time.Minute
	// relayTimeout bounds all that the fetcher does for one request.
	relayTimeout = 10 * time.Minute
)

// client makes the one HTTP client. The loop around it asks again anyway. Where
// another user talks to the network, it opens no connection.
func client(s agent.Settings, dir *state.Dir) (*http.Client, error) {
	if s.FetchUser == "" || s.Root != "/" {
		return network()
	}
	u, err := user.Lookup(s.FetchUser)
	if err != nil {
		return nil, &codeError{exitUsage, fmt.Errorf("fetch_user of the settings: %w", err)}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, fmt.Errorf("fetch_user of the settings: %w", err)
	}
	t, err := relay.New(relay.Config{
		Fetched: fetchedDir, Owner: uid, Requests: requestsDir, Start: startFetcher,
		Root: func() ([]byte, error) { return agent.TrustedRoot(dir) },
	})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: t, Timeout: relayTimeout}, nil
}

// network makes the client that opens connections.
func network() (*http.Client, error) {
	c, err := transport.Plain(transport.Config{Timeout: requestTimeout, MaxBytes: release.MaxSealed})
	if err != nil {
		return nil, err
	}
	c.Transport = &rooted{base: c.Transport}
	return c, nil
}

// startFetcher waits for the end of the unit: its type is oneshot.
func startFetcher(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "systemctl", "--no-ask-password", "start", fetchUnit).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl start %s: %w: %s", fetchUnit, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func newFetchCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "fetch",
		Short: "The half of the agent that talks to the network, as a user without rights",
		Long: `Fetch does what bindery-agent apply has asked for in /var/spool/bindery: it looks
for news of this host and verifies them, or sends a message that was signed. What it
brings is in /var/lib/bindery-fetch, where apply verifies it again. It has no key of
the host. The unit bindery-agent-fetch.service runs it; apply starts the unit.
` + exitHelp,
		Example: `  bindery-agent fetch`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runFetch(cmd.Context(), s) },
	}
}

func runFetch(ctx context.Context, _ streams) error {
	if os.Geteuid() == 0 {
		return errors.New("fetch is for a user without rights: systemctl start " + fetchUnit)
	}
	c, err := network()
	if err != nil {
		return err
	}
	f, err := relay.NewFetcher(relay.FetcherConfig{Fetched: fetchedDir, Requests: requestsDir, Client: c, Now: time.Now})
	if err != nil {
		return err
	}
	err = f.Fetch(ctx)
	if errors.Is(err, relay.ErrNoRequest) {
		return err
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

func newApplyCommand(s streams) *cobra.Command {
	o := &runOptions{apart: true}
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Run, and leave the network to another user",
		Long: `Apply does what run does, and never opens a connection to the controller: the unit
bindery-agent-fetch.service, which runs as the user that fetch_user of agent.yaml
names, fetches and sends in its place. Apply keeps the keys of the host, verifies what
was fetched by the root of trust that it keeps itself, refuses what is older than what
it applied, opens it, and signs what is sent.
` + exitHelp,
		Example: `  bindery-agent apply
  bindery-agent apply --once --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), o, s) },
	}
	o.addRunFlags(cmd.Flags(), s)
	return cmd
}
