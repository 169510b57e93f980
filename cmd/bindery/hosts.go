// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/api"
	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/status"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/release"
)

// hostsOptions say which controller's hosts.
type hostsOptions struct {
	config string
	format string
}

func newHostsCommand(s streams) *cobra.Command {
	var o hostsOptions
	cmd := &cobra.Command{
		Use:   "hosts",
		Short: "Enrol hosts, and see what each of them is on",
		Long: `Hosts works on the database that controller.yaml names, on the controller's own
machine, while the controller runs or not. The first start of bindery serve makes the
database; so does add, as a token can wait for that start. The others make none.
` + exitHelp,
		Example: `  bindery hosts add web1.example.org
  bindery hosts list
  bindery hosts show web1.example.org --format json
  bindery hosts move web1.example.org production`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&o.config, "config", defaultConfig, "the controller's settings `file`")
	cmd.PersistentFlags().StringVar(&o.format, "format", "text", "text or json")
	cmd.AddCommand(newHostsAddCommand(&o, s), newHostsListCommand(&o, s), newHostsShowCommand(&o, s), newHostsMoveCommand(&o, s))
	return cmd
}

// open reads the settings and opens the database that they name, which a controller has
// made.
func (o *hostsOptions) open(ctx context.Context) (*controller.Settings, *store.Store, error) {
	return o.database(ctx, true)
}

// make is open for what may be said to a controller before it has run: it makes the
// database where there is none.
func (o *hostsOptions) make(ctx context.Context) (*controller.Settings, *store.Store, error) {
	return o.database(ctx, false)
}

func (o *hostsOptions) database(ctx context.Context, existing bool) (*controller.Settings, *store.Store, error) {
	if o.format != "text" && o.format != "json" {
		return nil, nil, fmt.Errorf("--format is text or json, not %q", o.format)
	}
	settings, err := loadSettings(o.config)
	if err != nil {
		return nil, nil, err
	}
	st, err := store.New(ctx, store.Config{Path: settings.Database(), Existing: existing})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: no controller with the settings of %s has run here yet; start bindery serve once, it makes the database, or name other settings with --config", err, o.config)
	}
	if err != nil {
		return nil, nil, withCode(exitUnavailable, err)
	}
	return settings, st, nil
}

// withStatus opens the database and reads it as the web pages do.
func (o *hostsOptions) withStatus(ctx context.Context, fn func(*status.Reader) error) error {
	settings, st, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	r, err := status.New(status.Config{Fleet: st, History: st, Journal: st, Environments: settings.Environments()})
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	return fn(r)
}

func newHostsAddCommand(o *hostsOptions, s streams) *cobra.Command {
	var a hostsAddition
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Make a one-time token with which a host enrols",
		Long: `Add prints a token that lets exactly this host enrol, once, within an hour. The
token proves the host to the controller and the controller to the host, and pins the
root of trust. It is a secret until it was used, and is shown only now: the token
alone goes to standard output, what to do with it to standard error.

The host will be in the environment that the token says: it gets what that branch of
that repository says, and nothing of any other. Without --environment it is the one
that the host is in already, else the first in controller.yaml.
` + exitHelp,
		Example: `  bindery hosts add web1.example.org
  (umask 077; bindery hosts add web1.example.org > token)
  bindery hosts add web1.example.org --environment staging
  bindery hosts add web1.example.org --rebind --ttl 15m     a machine that was installed anew
  bindery hosts add web1.example.org | ssh web1.example.org bindery-agent enroll --url https://bindery.example.org --token-file -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runHostsAdd(cmd.Context(), o, strings.ToLower(args[0]), a, s)
		},
	}
	cmd.Flags().StringVar(&a.environment, "environment", "", "the `environment` of controller.yaml that the host will be in")
	cmd.Flags().DurationVar(&a.ttl, "ttl", release.TokenLife, "how long the token can be used")
	cmd.Flags().BoolVar(&a.rebind, "rebind", false, "replace a host of this name that is enrolled; its keys are revoked")
	return cmd
}

// hostsAddition says what kind of token.
type hostsAddition struct {
	environment string
	ttl         time.Duration
	rebind      bool
}

// outToken is what `hosts add --format json` prints.
type outToken struct {
	Host        string    `json:"host"`
	Environment string    `json:"environment"`
	Token       string    `json:"token"`
	Expires     time.Time `json:"expires"`
	Root        string    `json:"root_fingerprint"`
}

func runHostsAdd(ctx context.Context, o *hostsOptions, name string, a hostsAddition, s streams) error {
	if a.ttl <= 0 || a.ttl > 7*day {
		return errors.New("--ttl is more than a week, or nothing")
	}
	if name == "" || strings.ContainsAny(name, "/\\ \t\n\x00") {
		return fmt.Errorf("%q is no host name", name)
	}
	settings, st, err := o.make(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	roots, err := keys.LoadRoots(settings.Keys)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	old, err := st.HostNamed(ctx, name)
	switch {
	case err == nil && !a.rebind:
		return fmt.Errorf("%s is enrolled already, in the environment %s: --rebind makes a token that replaces it, and `bindery hosts move` moves it", name, old.Environment)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return withCode(exitUnavailable, err)
	}
	environment, err := environmentNamed(settings, a.environment, old.Environment)
	if err != nil {
		return err
	}
	root := roots[len(roots)-1]
	token, record, err := api.MintToken(name, environment, root, a.rebind, time.Now().Add(a.ttl))
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if err := st.AddToken(ctx, record); err != nil {
		return withCode(exitUnavailable, err)
	}
	if o.format == "json" {
		return printJSON(s.Out, outToken{Host: name, Environment: environment, Token: token.Text(), Expires: record.Expires.UTC(), Root: root.Fingerprint()})
	}
	// The token alone is the output, so that it can go into a file or a pipe.
	if _, err := fmt.Fprintln(s.Out, token.Text()); err != nil {
		return withCode(exitUnavailable, err)
	}
	fmt.Fprintf(s.Err, "On %s, which will be in the environment %s, until %s, with the token as the only line of FILE:\n  bindery-agent enroll --url URL-OF-THE-CONTROLLER --token-file FILE\n",
		name, environment, record.Expires.Format(time.RFC1123))
	return nil
}

func newHostsListCommand(o *hostsOptions, s streams) *cobra.Command {
	var environment string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the enrolled hosts",
		Long:    "List shows every enrolled host with its environment, state, release and last report.\n" + exitHelp,
		Example: "  bindery hosts list\n  bindery hosts list --environment staging\n  bindery hosts list --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withStatus(cmd.Context(), func(r *status.Reader) error {
				hosts, err := r.Hosts(cmd.Context(), environment)
				if errors.Is(err, status.ErrNotFound) {
					return fmt.Errorf("there is no environment %q: neither in the settings nor of a host", environment)
				}
				if err != nil {
					return withCode(exitUnavailable, err)
				}
				if o.format == "json" {
					return printJSON(s.Out, hosts)
				}
				listHosts(s.Out, hosts)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&environment, "environment", "", "only the hosts of this `environment`")
	return cmd
}

func listHosts(w io.Writer, hosts []status.Host) {
	if len(hosts) == 0 {
		fmt.Fprintln(w, "No host is enrolled. Make a token with: bindery hosts add NAME")
		return
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"host", "environment", "state", "commit", "sequence", "last report", "why"})
	for _, h := range hosts {
		commit, sequence, seen := "", "", "never"
		if h.Release != nil {
			commit, sequence = fmt.Sprintf("%.10s", h.Release.Commit), fmt.Sprint(h.Release.Sequence)
		}
		if h.Report != nil {
			seen = h.Report.At.Local().Format("2006-01-02 15:04:05")
		}
		state := string(h.State)
		if h.Report != nil && h.Report.Mode == release.ModeReport {
			state += ", only reports"
		}
		t.AppendRow(table.Row{h.Name, h.Environment, state, commit, sequence, seen, printable(h.Cause)})
	}
	t.Render()
}

func newHostsShowCommand(o *hostsOptions, s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Show what a host is on, why, and what it last told",
		Long:    "Show prints one host: its release, its facts, its last reports and every entry that is not as it should be.\n" + exitHelp,
		Example: "  bindery hosts show web1.example.org",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withStatus(cmd.Context(), func(r *status.Reader) error {
				d, err := r.Host(cmd.Context(), strings.ToLower(args[0]))
				if errors.Is(err, status.ErrNotFound) {
					return withCode(exitFindings, fmt.Errorf("%s is not enrolled; make a token with: bindery hosts add %s", args[0], args[0]))
				}
				if err != nil {
					return withCode(exitUnavailable, err)
				}
				if o.format == "json" {
					return printJSON(s.Out, d)
				}
				showHost(s.Out, d)
				return nil
			})
		},
	}
}

func showHost(w io.Writer, d *status.Detail) {
	fmt.Fprintf(w, "%s  %s", d.Name, d.State)
	if d.Cause != "" {
		fmt.Fprintf(w, ": %s", printable(d.Cause))
	}
	fmt.Fprintf(w, "\n  id        %s, enrolled %s, in the environment %s\n", d.ID, d.Enrolled.Local().Format(time.DateTime), d.Environment)
	if d.Release != nil {
		fmt.Fprintf(w, "  release   %d of %.12s, %s\n", d.Release.Sequence, d.Release.Commit, d.Release.At.Local().Format(time.DateTime))
	}
	if d.Facts != nil {
		fmt.Fprintf(w, "  facts     %s (%s)\n", d.Facts.At.Local().Format(time.DateTime), strings.Join(d.Probes, ", "))
	}
	for _, f := range d.StaleFacts {
		fmt.Fprintf(w, "  stale     %s fails since %s, its last good answer stands in: %s\n", printable(f.Probe), f.Since.Local().Format(time.DateTime), printable(f.Reason))
	}
	if d.Report != nil {
		fmt.Fprintf(w, "  report    %s\n", d.Report.At.Local().Format(time.DateTime))
		if d.Report.Mode == release.ModeReport {
			fmt.Fprintf(w, "  mode      it plans and changes nothing%s\n", sinceWhen(d.Report.ModeSince))
		}
		for _, b := range d.Report.Reported {
			fmt.Fprintf(w, "  mode      bundle %s is looked at and not changed%s\n", printable(b.Bundle), sinceWhen(b.Since))
		}
	}
	for _, list := range []struct {
		what  string
		items []release.Item
	}{{"bad", d.Bad}, {"modified", d.Modified}, {"extra", d.Extra}} {
		for _, i := range list.items {
			showItem(w, list.what, i)
		}
	}
	showNotVerified(w, d.NotVerified)
}

// sinceWhen dates a mode and says how old it is: one that was meant for some days is
// easily forgotten.
func sinceWhen(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf(", since %s, %d days", at.Local().Format(time.DateTime), max(0, int(time.Since(at).Hours()/24)))
}

func showItem(w io.Writer, what string, i release.Item) {
	fmt.Fprintf(w, "  %-12s %s\n", what, printable(strings.TrimSpace(i.Key.String()+"  "+i.Reason)))
}

// showNotVerified gives many entries that nobody looked at for one reason one line.
func showNotVerified(w io.Writer, items []release.Item) {
	const few = 2
	alike := map[string]int{}
	for _, i := range items {
		alike[i.Reason]++
	}
	for _, i := range items {
		if alike[i.Reason] <= few {
			showItem(w, "not verified", i)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(alike)) {
		if n := alike[reason]; n > few {
			fmt.Fprintf(w, "  %-12s %d entries: %s\n", "not verified", n, printable(reason))
		}
	}
}

// printable quotes what a host said and what would disturb a terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

func printJSON(w io.Writer, v any) error {
	data, err := marshal(v)
	if err == nil {
		_, err = w.Write(data)
	}
	return withCode(exitUnavailable, err)
}
