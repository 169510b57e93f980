// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/keys"
	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/release"
)

// exportOptions say what is given away.
type exportOptions struct {
	hosts       hostsOptions
	environment string
	redact      bool
}

func newFactsExportCommand(s streams) *cobra.Command {
	o := exportOptions{hosts: hostsOptions{format: "text"}}
	cmd := &cobra.Command{
		Use:   "export [--redact]",
		Short: "Write what is known of hosts, dated and signed, for --probe-data elsewhere",
		Long: `Export writes the facts of the hosts of an environment, and what was imported, to standard
output: a laptop or a CI job that gives the file to --probe-data builds what the
controller would. It is signed with the controller's targets key, which --facts-root
checks. The audit trail says who exported it. Facts of other environments' hosts are not
in it: name the environment where controller.yaml has several.

Answers may hold secrets of hosts. With --redact fingerprints stand for them, made with
a key of the controller: equal values stay equal. Groups that answers assign stay, so
hosts get the same bundles; templates that show an answer, or look into one, show the
fingerprint or fail. Groups that a specification derives from redacted values are lost.
` + exitHelp,
		Example: `  (umask 077; bindery facts export > facts.json)
  bindery facts export --environment staging --redact > facts.json
  bindery diff --git . main..HEAD --probe-data facts.json --facts-root 1.root.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFactsExport(cmd.Context(), &o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.hosts.config, "config", defaultConfig, "the controller's settings `file`")
	f.StringVar(&o.environment, "environment", "", "the `environment` of controller.yaml whose hosts are meant (default: the only one)")
	f.BoolVar(&o.redact, "redact", false, "replace answers by keyed fingerprints; groups stay")
	return cmd
}

func runFactsExport(ctx context.Context, o *exportOptions, s streams) error {
	settings, st, err := o.hosts.open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	if o.environment == "" && len(settings.Environments()) > 1 {
		return errors.New("there are several environments: say with --environment whose hosts are meant")
	}
	environment, err := environmentNamed(settings, o.environment, "")
	if err != nil {
		return err
	}
	online, err := keys.Load(settings.Keys)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	facts, answered, err := allFacts(ctx, st, environment)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if o.redact {
		key, err := online.Secret("fingerprints of facts")
		if err != nil {
			return withCode(exitUnavailable, err)
		}
		if facts, err = engine.RedactFacts(facts, key); err != nil {
			return withCode(exitUnavailable, err)
		}
	}
	out := release.FleetFacts{Taken: time.Now().UTC().Truncate(time.Second), Redacted: o.redact, Answered: answered}
	if out.Hosts, err = engine.FormatFacts(facts); err != nil {
		return withCode(exitUnavailable, err)
	}
	data, err := online.Signers.SignFacts(out)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	detail := "of " + environment + ", as they are"
	if o.redact {
		detail = "of " + environment + ", redacted"
	}
	err = st.Audit(ctx, store.Record{Actor: operator(), Action: "facts-exported", Subject: fmt.Sprintf("%d hosts", len(facts)), Detail: detail})
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	_, err = s.Out.Write(append(data, '\n'))
	return withCode(exitUnavailable, err)
}

// allFacts reads what the controller knows of the hosts of an environment, and when they
// said it.
func allFacts(ctx context.Context, st *store.Store, environment string) (map[string]engine.Facts, map[string]time.Time, error) {
	hosts, err := st.Hosts(ctx)
	if err != nil {
		return nil, nil, err
	}
	answers, err := st.AllFacts(ctx)
	if err != nil {
		return nil, nil, err
	}
	external, err := st.AllExternal(ctx)
	if err != nil {
		return nil, nil, err
	}
	facts, answered := map[string]engine.Facts{}, map[string]time.Time{}
	for host, data := range external {
		facts[host] = engine.Facts{External: data}
	}
	for _, h := range hosts {
		if h.Environment != environment {
			delete(facts, h.Name)
			continue
		}
		if a, ok := answers[h.ID]; ok {
			facts[h.Name] = engine.Facts{Probes: a.Answers, External: external[h.Name]}
			answered[h.Name] = a.At.UTC()
		}
	}
	return facts, answered, nil
}
