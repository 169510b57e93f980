// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/cmd/bindery/internal/hostkeys"
)

func newKeysSSHCommand(s streams) *cobra.Command {
	var o keysOptions
	cmd := &cobra.Command{
		Use:   "ssh --host NAME | --all",
		Short: "Make keys of SSH servers and of those who log in",
		Long: `Ssh makes the SSH keys that hosts need and the specification lacks: host keys of
SSHbase that the host's bundles name, and keys that a privkey.xml describes, with
their public halves. Bcfg2 1.1 made keys of type rsa1, dsa and rsa, 1.2 also ecdsa,
1.4 also ed25519; rsa1 and dsa are not made any more.

Keys are written where Bcfg2 wrote them, to be committed. Private keys are encrypted
for the recipients of age that are given, or that the file ` + recipientsFile + ` of the
specification lists, one a line. What is there is never overwritten without
--rotate.
` + exitHelp,
		Example: `  bindery keys ssh --spec . --host web1.example.org
  bindery keys ssh --spec . --all --recipient age1... --branch keys
  bindery keys ssh --host web1 --rotate /etc/ssh/ssh_host_rsa_key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, t := range o.config.Types {
				if !slices.Contains([]string{"rsa", "ecdsa", "ed25519"}, t) {
					return fmt.Errorf("--types are rsa, ecdsa and ed25519, not %q", t)
				}
			}
			o.config.Kinds = hostkeys.SSH
			return runKeys(cmd.Context(), &o, s)
		},
	}
	o.AddFlags(cmd)
	cmd.Flags().StringSliceVar(&o.config.Types, "types", nil, "`types` of host keys: rsa, ecdsa, ed25519 (default: those that bundles name)")
	return cmd
}
