// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/cmd/bindery/internal/hostkeys"
	"github.com/bindery/bindery/internal/keypair"
)

type keysSSLOptions struct {
	keysOptions
	cas        []string
	passphrase string
}

func newKeysSSLCommand(s streams) *cobra.Command {
	var o keysSSLOptions
	cmd := &cobra.Command{
		Use:   "ssl --host NAME | --all",
		Short: "Make keys and certificates of TLS",
		Long: `Ssl makes the keys that a sslkey.xml or SSLCA's key.xml describes, and the
certificates of sslcert.xml and cert.xml, signed by a CA whose key you give: --ca
NAME=CERT,KEY, where NAME is that of the attribute ca, "default" without. CERT may
hold more certificates behind the first; append_chain puts all of them behind each
certificate. With --csr-only requests are written for a CA that is elsewhere.

A certificate whose key is made anew is made anew too. What is there is otherwise
never overwritten without --rotate. Where and how files are written: see keys ssh.
` + exitHelp,
		Example: `  bindery keys ssl --spec . --host web1.example.org --ca default=ca.crt,ca.key
  bindery keys ssl --spec . --all --csr-only ../requests
  bindery keys ssl --host web1 --rotate /etc/ssl/web.crt --ca default=ca.crt,ca.key`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.authorities(); err != nil {
				return withCode(exitUsage, err)
			}
			o.config.Kinds, o.config.Requests = hostkeys.SSL, o.requests != ""
			return runKeys(cmd.Context(), &o.keysOptions, s)
		},
	}
	o.AddFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.cas, "ca", nil, "a CA as `NAME=CERT,KEY`; may be repeated")
	f.StringVar(&o.passphrase, "ca-passphrase", "", "`file` with the passphrase of the CA's key")
	f.StringVar(&o.requests, "csr-only", "", "write requests into this `folder`, and no certificates")
	cmd.MarkFlagsMutuallyExclusive("ca", "csr-only")
	return cmd
}

// authorities reads the CAs.
func (o *keysSSLOptions) authorities() error {
	passphrase := ""
	if o.passphrase != "" {
		data, err := readFile(o.passphrase)
		if err != nil {
			return err
		}
		passphrase = strings.TrimRight(string(data), "\r\n")
	}
	if o.requests != "" {
		if st, err := os.Stat(o.requests); err != nil || !st.IsDir() {
			return fmt.Errorf("--csr-only: %s is no folder", o.requests)
		}
	}
	o.config.Authorities = map[string]*keypair.Authority{}
	for _, ca := range o.cas {
		name, files, ok := strings.Cut(ca, "=")
		cert, key, both := strings.Cut(files, ",")
		if !ok || !both {
			return errors.New("--ca is NAME=CERT,KEY")
		}
		certificate, err := readFile(cert)
		if err != nil {
			return err
		}
		private, err := readFile(key)
		if err != nil {
			return err
		}
		if o.config.Authorities[name], err = keypair.NewAuthority(certificate, private, passphrase); err != nil {
			return fmt.Errorf("CA %s: %w", name, err)
		}
	}
	return nil
}
