// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine"
)

func newFactsCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "facts",
		Short: "Record what others know of hosts, and propose files that hosts told of",
		Long: `Facts works on the database that controller.yaml names, on the controller's own
machine, while the controller runs or not. A build asks nobody: what it is to know
of a host besides the specification is a fact, told by the host or recorded here.
` + exitHelp,
		Example: `  bindery facts import --source PuppetENC classes.yaml
  bindery facts import --source Probes /var/lib/bcfg2/Probes/probed.xml
  bindery facts export --redact > facts.json
  bindery facts files --spec . --host web1.example.org --branch probed-files`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFactsImportCommand(s), newFactsExportCommand(s), newFactsFilesCommand(s))
	return cmd
}

// factSources are the plugins that external data are for.
var factSources = []string{"AWSTags", "Ldap", "Ohai", "Probes", "PuppetENC"}

// importOptions say what is recorded.
type importOptions struct {
	hosts  hostsOptions
	source string
	whole  bool
}

func newFactsImportCommand(s streams) *cobra.Command {
	o := importOptions{hosts: hostsOptions{format: "text"}}
	cmd := &cobra.Command{
		Use:   "import --source PLUGIN FILE",
		Short: "Record what others know of hosts",
		Long: `Import records what a source says of hosts, in place of what it said before. The
audit trail says who imported what, and how many hosts it changed; the next builds
use it.

FILE is JSON or YAML, a mapping of names of hosts:
  PuppetENC   what the classifier prints: classes or groups, and parameters
  Ldap        the results of the queries, by the name of the query
  AWSTags     the tags of the machine: {"Name": "web1"}
  Ohai        what ohai prints, for hosts that have not told it themselves

With --source Probes, FILE is what Bcfg2's server knew: Probes/probed.xml, its SQLite
database, or what "manage.py dumpdata" writes of one in MySQL or PostgreSQL. It stands
for the answers of a host until that gives some.
` + exitHelp,
		Example: `  bindery facts import --source PuppetENC classes.yaml
  bindery facts import --source AWSTags --whole tags.json
  bindery facts import --source Probes /var/lib/bcfg2/etc/bcfg2.sqlite`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runFactsImport(cmd.Context(), &o, args[0], s)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.hosts.config, "config", defaultConfig, "the controller's settings `file`")
	f.StringVar(&o.source, "source", "", "the `plugin` that the data are for: AWSTags, Ldap, Ohai, Probes or PuppetENC")
	f.BoolVar(&o.whole, "whole", false, "forget what the source said of hosts that are not in FILE")
	_ = cmd.MarkFlagRequired("source") // the flag exists
	return cmd
}

func runFactsImport(ctx context.Context, o *importOptions, file string, s streams) error {
	if !slices.Contains(factSources, o.source) {
		return fmt.Errorf("--source is one of %v, not %q", factSources, o.source)
	}
	data, err := readFile(file)
	if err != nil {
		return err
	}
	hosts, err := o.read(ctx, file, data)
	if err != nil {
		return withCode(exitUsage, fmt.Errorf("%s: %w", file, err))
	}
	_, st, err := o.hosts.make(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	changed, err := st.PutExternal(ctx, operator(), o.source, hosts, o.whole)
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	fmt.Fprintf(s.Out, "%s: %d hosts, %d changed\n", o.source, len(hosts), changed)
	return nil
}

// sqliteMagic begins a database of SQLite.
const sqliteMagic = "SQLite format 3\x00"

func (o *importOptions) read(ctx context.Context, file string, data []byte) (map[string]string, error) {
	if o.source != "Probes" {
		return engine.ParseExternal(data)
	}
	if !bytes.HasPrefix(data, []byte(sqliteMagic)) {
		hosts, err := engine.ParseProbed(data)
		if err != nil {
			return nil, err
		}
		return hosts.External()
	}
	rows, err := store.ReadProbes(ctx, file)
	if err != nil {
		return nil, err
	}
	hosts := engine.ProbedHosts{}
	for _, r := range rows {
		hosts.Add(r.Host, r.Group, r.Probe, r.Answer)
	}
	return hosts.External()
}

// operator is who runs the command, for the audit trail.
func operator() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// recordedFacts reads what the controller knows of one host.
func recordedFacts(ctx context.Context, o *hostsOptions, host string) (engine.Facts, string, error) {
	var f engine.Facts
	_, st, err := o.open(ctx)
	if err != nil {
		return f, "", err
	}
	defer st.Close()
	external, err := st.AllExternal(ctx)
	if err != nil {
		return f, "", withCode(exitUnavailable, err)
	}
	f.External = external[host]
	h, err := st.HostNamed(ctx, host)
	if errors.Is(err, store.ErrNotFound) {
		return f, "", fmt.Errorf("%s is not enrolled", host)
	}
	if err != nil {
		return f, "", withCode(exitUnavailable, err)
	}
	facts, err := st.Facts(ctx, h.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return f, "", withCode(exitUnavailable, err)
	}
	f.Probes = facts.Answers
	return f, h.Profile, nil
}
