// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bindery/bindery/controller/keys"
)

const (
	day           = 24 * time.Hour
	maxPassphrase = 4096
	minPassphrase = 12
)

// newTrustCommand is "bindery root": the offline key that everything hangs on.
func newTrustCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "root",
		Short: "Make and look after the trust root that agents pin",
		Long: `The root key is used once a year, on a machine that is not the controller, and
put away. It names the online keys that the controller signs releases with. Agents
pin the root when they enrol, and accept nothing that does not hang on it.
` + exitHelp,
		Example: `  bindery root init --dir /media/usb/root --online /etc/bindery/keys
  bindery root status --dir /etc/bindery/keys`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTrustInitCommand(s), newTrustStatusCommand(s))
	return cmd
}

type trustInitOptions struct {
	dir, online, passphraseFile string
	noPassphrase                bool
	days                        int
}

func newTrustInitCommand(s streams) *cobra.Command {
	var o trustInitOptions
	cmd := &cobra.Command{
		Use:   "init --dir DIR",
		Short: "Make the offline root key, the online keys and version 1 of the root",
		Long: `Makes a root key, wrapped with a passphrase, and the three online keys of a
controller, and signs version 1 of the root. Nothing is ever overwritten.

The passphrase is asked on the terminal, or read from the first line of a file.
` + exitHelp,
		Example: `  bindery root init --dir /media/usb/root --online /etc/bindery/keys
  bindery root init --dir ./trial --no-passphrase        for a trial on one machine`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runTrustInit(o, s, time.Now()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the offline root key, on a medium that is put away (required)")
	f.StringVar(&o.online, "online", "", "folder of the online keys that the controller reads (default: DIR/online)")
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "file whose first line is the passphrase of the root key")
	f.BoolVar(&o.noPassphrase, "no-passphrase", false, "leave the root key unwrapped: whoever reads the file owns every host")
	f.IntVar(&o.days, "days", 365, "days until the root has to be signed again (7 to 1095)")
	cmd.MarkFlagsMutuallyExclusive("passphrase-file", "no-passphrase")
	return cmd
}

func runTrustInit(o trustInitOptions, s streams, now time.Time) error {
	if o.dir == "" {
		return withCode(exitUsage, errors.New("root init: --dir says where the offline root key is made"))
	}
	if o.days < 7 || o.days > 1095 {
		return withCode(exitUsage, fmt.Errorf("root init: --days %d is not between 7 and 1095", o.days))
	}
	if o.online == "" {
		o.online = filepath.Join(o.dir, "online")
	}
	var passphrase []byte
	if !o.noPassphrase {
		var err error
		if passphrase, err = newPassphrase(o.passphraseFile, s); err != nil {
			return fmt.Errorf("root init: %w", err)
		}
	}
	root, err := keys.Init(keys.Ceremony{
		Offline: o.dir, Online: o.online, Passphrase: passphrase, Expires: now.Add(time.Duration(o.days) * day),
	})
	if errors.Is(err, keys.ErrExists) {
		return withCode(exitUsage, fmt.Errorf("%w: nothing was overwritten; choose another folder, or see `bindery root status`", err))
	}
	if err != nil {
		return withCode(exitUnavailable, err)
	}
	fmt.Fprintf(s.Out, `Made root version %d, valid until %s.
  fingerprint  %s
  offline key  %s
  online keys  %s

What to do now:
  1. Copy %s to a second medium and put both away: only it can renew the root or
     take the online keys' power away.
  2. Give %s to the controller: "keys: %s" in controller.yaml.
  3. Look at `+"`bindery root status --dir %s`"+` now and then: it warns from 90 days
     before the root ends.
`, root.Version, root.Expires.Format(time.DateOnly), root.Fingerprint(), filepath.Join(o.dir, keys.RootKeyFile), o.online,
		o.dir, o.online, o.online, o.online)
	return nil
}

// newPassphrase reads the passphrase of a new key, twice where it is typed.
func newPassphrase(file string, s streams) ([]byte, error) {
	var text []byte
	var err error
	if file != "" {
		text, err = firstLine(file)
	} else {
		text, err = typedTwice(s)
	}
	if err != nil {
		return nil, err
	}
	if len(text) < minPassphrase {
		return nil, withCode(exitUsage, fmt.Errorf("the passphrase is shorter than %d bytes", minPassphrase))
	}
	return text, nil
}

func firstLine(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, withCode(exitUnavailable, fmt.Errorf("read passphrase: %w", err))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPassphrase))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, withCode(exitUnavailable, fmt.Errorf("read passphrase: %w", err))
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

func typedTwice(s streams) ([]byte, error) {
	in, ok := s.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, withCode(exitUsage, errors.New("there is no terminal to ask for a passphrase: give --passphrase-file, or --no-passphrase for a trial"))
	}
	var typed [2][]byte
	for i, prompt := range []string{"Passphrase for the root key: ", "Again: "} {
		fmt.Fprint(s.Err, prompt)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(s.Err)
		if err != nil {
			return nil, withCode(exitUnavailable, fmt.Errorf("read passphrase: %w", err))
		}
		typed[i] = text
	}
	if !bytes.Equal(typed[0], typed[1]) {
		return nil, withCode(exitUsage, errors.New("the two passphrases differ"))
	}
	return typed[0], nil
}

type trustStatusOptions struct{ dir, format string }

func newTrustStatusCommand(s streams) *cobra.Command {
	var o trustStatusOptions
	cmd := &cobra.Command{
		Use:   "status --dir DIR",
		Short: "Tell which root is in force and how long it holds",
		Long: `Verifies the root metadata in a folder as a chain and tells about the newest.
Ends with 1 when the root ends within 90 days; the alarm gets louder at 30, 14 and
7 days. After the end agents accept nothing new and keep what they have.
` + exitHelp,
		Example: `  bindery root status --dir /etc/bindery/keys
  bindery root status --dir /etc/bindery/keys --format json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runTrustStatus(o, s, time.Now()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dir, "dir", "", "folder with the root metadata: the controller's keys or the offline folder (required)")
	f.StringVar(&o.format, "format", "text", "text or json")
	return cmd
}

// trustStatus is the JSON output: a contract.
type trustStatus struct {
	Version     int64               `json:"version"`
	Fingerprint string              `json:"fingerprint"`
	Expires     time.Time           `json:"expires"`
	DaysLeft    int                 `json:"days_left"`
	Alarm       keys.Alarm          `json:"alarm"`
	Thresholds  map[string]int      `json:"thresholds"`
	KeyIDs      map[string][]string `json:"key_ids"`
}

func runTrustStatus(o trustStatusOptions, s streams, now time.Time) error {
	if o.dir == "" {
		return withCode(exitUsage, errors.New("root status: --dir says where the root metadata are"))
	}
	if o.format != "text" && o.format != "json" {
		return withCode(exitUsage, fmt.Errorf("root status: --format %q is neither text nor json", o.format))
	}
	roots, err := keys.LoadRoots(o.dir)
	if err != nil {
		code := exitUntrusted
		var path *fs.PathError
		if errors.Is(err, keys.ErrNoRoot) || errors.As(err, &path) {
			code = exitUnavailable
		}
		return withCode(code, fmt.Errorf("root status: %w", err))
	}
	root := roots[len(roots)-1]
	st := trustStatus{
		Version: root.Version, Fingerprint: root.Fingerprint(), Expires: root.Expires, DaysLeft: int(root.Expires.Sub(now) / day),
		Alarm: keys.AlarmAt(root.Expires, now), Thresholds: root.Thresholds, KeyIDs: root.KeyIDs,
	}
	if err := st.print(s.Out, o.format); err != nil {
		return withCode(exitUnavailable, fmt.Errorf("root status: %w", err))
	}
	if st.Alarm != keys.AlarmNone {
		return quietly(exitFindings)
	}
	return nil
}

func (st *trustStatus) print(w io.Writer, format string) error {
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(st)
	}
	_, err := fmt.Fprintf(w, "root version %d, valid until %s (%d days)\n  fingerprint  %s\n",
		st.Version, st.Expires.Format(time.DateOnly), st.DaysLeft, st.Fingerprint)
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %-11s  %d of %d keys\n", role, st.Thresholds[role], len(st.KeyIDs[role]))
		}
	}
	if err == nil && st.Alarm != keys.AlarmNone {
		_, err = fmt.Fprintf(w, "ALARM: %s\n", st.Alarm)
	}
	return err
}
