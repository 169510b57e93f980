// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/agent/state"
	"github.com/bindery/bindery/engine/release"
)

const tokenVariable = "BINDERY_TOKEN"

type enrollOptions struct {
	options
	host      string
	tokenFile string
	again     bool
}

func newEnrollCommand(s streams) *cobra.Command {
	o := &enrollOptions{}
	cmd := &cobra.Command{
		Use:   "enroll --url URL (--token-file FILE | $" + tokenVariable + ")",
		Short: "Make this host's identity and pin the controller's root, with a one-time token",
		Long: `Enroll makes the keys of this host, proves them to the controller with a token
that "bindery hosts add" printed, and pins the root that the token names. The token
works once. The keys never leave the host.

The token is read from a file, from standard input (-), or from $` + tokenVariable + `; it is
not taken from the command line, which other users can see.
` + exitHelp,
		Example: `  bindery-agent enroll --url https://bindery.example.org --token-file token
  ssh controller bindery hosts add "$(hostname)" | bindery-agent enroll --url https://bindery.example.org --token-file -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEnroll(cmd.Context(), o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	o.addFormat(cmd.Flags())
	cmd.Flags().StringVar(&o.host, "host", "", "name to enrol under (default: the host name)")
	cmd.Flags().StringVar(&o.tokenFile, "token-file", "", "file that holds the token, - for standard input")
	cmd.Flags().BoolVar(&o.again, "again", false, "replace an earlier enrolment of this host")
	return cmd
}

func runEnroll(ctx context.Context, o *enrollOptions, s streams) error {
	settings, err := o.settings()
	if err != nil {
		return err
	}
	token, err := o.token(s.In)
	if err != nil {
		return err
	}
	host := o.host
	if host == "" {
		host = settings.Host
	}
	if host == "" {
		if host, err = os.Hostname(); err != nil {
			return fmt.Errorf("host name: %w", err)
		}
	}
	if settings.URL == "" {
		return errors.New("the controller's address is needed: --url")
	}
	dir, err := state.Open(state.Config{Path: settings.State, Create: true})
	if err != nil {
		return err
	}
	defer dir.Close()
	c, err := client(settings, dir)
	if err != nil {
		return err
	}
	e, err := agent.Enrol(ctx, agent.EnrolConfig{State: dir, Client: c, URL: settings.URL, Host: host, Token: token, Again: o.again})
	if err != nil {
		return fmt.Errorf("as %s: %w", printable(host), err)
	}
	if o.format == "json" {
		return writeJSON(s.Out, e)
	}
	_, err = fmt.Fprintf(s.Out, "enrolled as %s (host id %s)\nroot pinned: %s\nnext: bindery-agent run --once%s\n",
		printable(e.Host), e.HostID, token.RootFingerprint(), o.flags())
	return err
}

// flags are those of this command line that the next one needs as well.
func (o *enrollOptions) flags() string {
	var out strings.Builder
	for _, f := range []struct{ name, value string }{{"config", o.config}, {"state", o.state}, {"root", o.root}} {
		if f.value != "" {
			out.WriteString(" --" + f.name + " " + f.value)
		}
	}
	return out.String()
}

func (o *enrollOptions) token(stdin io.Reader) (release.Token, error) {
	var text []byte
	var err error
	switch {
	case o.tokenFile == "-":
		text, err = io.ReadAll(io.LimitReader(stdin, 4096))
	case o.tokenFile != "":
		text, err = os.ReadFile(o.tokenFile)
	default:
		text = []byte(os.Getenv(tokenVariable))
	}
	if err != nil {
		return release.Token{}, fmt.Errorf("read token: %w", err)
	}
	if len(text) == 0 {
		return release.Token{}, errors.New("a token is needed: --token-file, or $" + tokenVariable)
	}
	t, err := release.ParseToken(string(text))
	if err != nil {
		return t, &codeError{exitUsage, err}
	}
	return t, nil
}
