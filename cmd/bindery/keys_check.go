// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/problem/render"
	"github.com/bindery/bindery/internal/keypair"
)

type keysCheckOptions struct {
	specOptions
	source  sourceOptions
	host    []string
	all     bool
	within  string
	format  string
	horizon time.Time
}

func newKeysCheckCommand(s streams) *cobra.Command {
	var o keysCheckOptions
	cmd := &cobra.Command{
		Use:   "check --host NAME | --all",
		Short: "Tell which keys are missing, do not fit, or expire",
		Long: `Check looks at the keys and certificates of hosts: what is missing, which
certificate is not of its key or not of its CA, and which one expires soon. A build
knows no clock and delivers a certificate that is too old.
` + exitHelp,
		Example: `  bindery keys check --spec . --all --expires-within 30d
  bindery keys check --git https://git.example.org/site --host web1.example.org --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runKeysCheck(cmd.Context(), &o, s) },
	}
	o.AddFlags(cmd)
	o.source.AddFlags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&o.host, "host", nil, "`name` of a host; may be repeated")
	f.BoolVar(&o.all, "all", false, "all hosts of clients.xml")
	f.StringVar(&o.within, "expires-within", "30d", "certificates that expire within this `time` count as findings, such as 30d or 12h")
	f.StringVar(&o.format, "format", "text", "text or json")
	cmd.MarkFlagsOneRequired("host", "all")
	cmd.MarkFlagsMutuallyExclusive("host", "all")
	return cmd
}

func runKeysCheck(ctx context.Context, o *keysCheckOptions, s streams) error {
	if o.format != "text" && o.format != "json" {
		return fmt.Errorf("--format is text or json, not %q", o.format)
	}
	within, err := parseDays(o.within)
	if err != nil {
		return err
	}
	o.horizon = time.Now().Add(within)
	snap, err := o.source.open(ctx)
	if err != nil {
		return err
	}
	op, err := openSpec(ctx, snap, &o.specOptions)
	if err != nil {
		return err
	}
	hosts := o.host
	if o.all {
		hosts = op.spec.Hosts()
	}
	var found []*problem.Problem
	for _, in := range op.inputs(hosts) {
		list, more, err := op.spec.Keys(ctx, in)
		if err != nil {
			return withCode(exitUnavailable, err)
		}
		found = append(found, more...)
		for _, k := range list {
			if p := o.look(op.spec, in, k); p != nil {
				found = append(found, p)
			}
		}
	}
	found = problem.Sort(found)
	if o.format == "json" {
		err = render.JSON(s.Out, found, nil)
	} else {
		err = render.Text(s.Out, found, render.TextConfig{Colour: colour(s.Out)})
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if len(found) > 0 {
		return quietly(exitFindings)
	}
	return nil
}

// look checks one key or certificate as the host would get it.
func (o *keysCheckOptions) look(spec *engine.Spec, in engine.Input, k engine.Key) *problem.Problem {
	e, p := spec.Path(in, k.Path)
	if p != nil {
		if k.Present != "" {
			return p
		}
		lacking := *p
		lacking.Msg = fmt.Sprintf("%s lacks %s: %s", in.Host, k.File, p.Msg)
		lacking.Hint = strings.ReplaceAll(p.Hint, "NAME", in.Host)
		return &lacking
	}
	if k.Kind != engine.Certificate {
		return nil
	}
	data, err := e.Content()
	if err != nil {
		return problem.New(problem.Pos{File: k.Present}, "bad-certificate", "it is not base64, as it says", "")
	}
	until, err := keypair.Expiry(data)
	if err != nil {
		return problem.New(problem.Pos{File: k.Present}, "bad-certificate", "it cannot be read: "+err.Error(), "")
	}
	if until.Before(o.horizon) {
		return problem.New(problem.Pos{File: k.Present}, "certificate-expires", fmt.Sprintf("the certificate for %s is good until %s", k.Path, until.UTC().Format(time.DateOnly)),
			fmt.Sprintf("make it again: bindery keys ssl --host %s --rotate %s", in.Host, k.Path))
	}
	return nil
}

// parseDays reads a time, also in days.
func parseDays(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36525 {
			return 0, fmt.Errorf("--expires-within: %q is no number of days", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("--expires-within: %q is no time such as 30d or 12h", text)
	}
	return d, nil
}
