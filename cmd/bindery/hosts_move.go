// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/controller/store"
)

func newHostsMoveCommand(o *hostsOptions, s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "move NAME ENVIRONMENT",
		Short: "Put a host into another environment",
		Long: `Move puts a host into another environment of controller.yaml. The controller publishes
that environment's configuration for it when it looks next, with the host's next
sequence; until then, and if that environment does not know the host, it keeps its last
release. What the host answered to the probes of the old environment is forgotten: where
the new one has probes, the host answers those first. Its name and keys stay, and the
audit trail says who moved it.
` + exitHelp,
		Example: `  bindery hosts move web1.example.org production
  bindery hosts move web1.example.org staging --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runHostsMove(cmd.Context(), o, strings.ToLower(args[0]), args[1], s)
		},
	}
}

// outMove is what `hosts move --format json` prints.
type outMove struct {
	Host string `json:"host"`
	From string `json:"from"`
	To   string `json:"to"`
}

func runHostsMove(ctx context.Context, o *hostsOptions, name, to string, s streams) error {
	settings, st, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	if to, err = environmentNamed(settings, to, ""); err != nil {
		return err
	}
	h, err := st.HostNamed(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return withCode(exitFindings, fmt.Errorf("%s is not enrolled; make a token with: bindery hosts add %s --environment %s", name, name, to))
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	if h.Environment != to {
		if err := st.Move(ctx, operator(), h, to); err != nil {
			return withCode(exitUnavailable, err)
		}
	}
	if o.format == "json" {
		return printJSON(s.Out, outMove{Host: name, From: h.Environment, To: to})
	}
	if h.Environment == to {
		_, err = fmt.Fprintf(s.Out, "%s is in %s already.\n", name, to)
	} else {
		_, err = fmt.Fprintf(s.Out, "%s is in %s now; it was in %s.\n", name, to, h.Environment)
	}
	return withCode(exitUnavailable, err)
}

// environmentNamed finds an environment of the settings: the one that is asked for, else
// the one that the host is in if it still exists, else the first.
func environmentNamed(settings *controller.Settings, asked, now string) (string, error) {
	all := settings.Environments()
	var names []string
	for _, e := range all {
		if e.Name == asked || asked == "" && e.Name == now {
			return e.Name, nil
		}
		names = append(names, e.Name)
	}
	if asked == "" {
		return names[0], nil
	}
	return "", fmt.Errorf("there is no environment %q in the settings; these are: %s", asked, strings.Join(names, ", "))
}
