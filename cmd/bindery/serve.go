// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/controller"
	"github.com/bindery/bindery/internal/eventlog"
	"github.com/bindery/bindery/internal/owner"
)

type serveOptions struct {
	config string
	log    string
	level  string
}

func newServeCommand(s streams) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve --config controller.yaml",
		Short: "Run the controller: preview pull requests, publish the branch, hear hosts",
		Long: `Serve mirrors the specification repository, posts the binding diff of every pull
request as one comment, publishes the branch as signed and sealed releases, and takes
the hosts' facts and reports. It keeps no queue: killed and started again at any
moment, it goes on from what the repository, the forge and its database say.

Settings are in one strict file; secrets come from files that it names or from
BINDERY_GIT_TOKEN, BINDERY_GITHUB_TOKEN and BINDERY_WEBHOOK_SECRET.

It runs as who owns the folder of its state. As root it does so only where that is
root's: what it would leave in another's folder, the other could not read.
` + exitHelp,
		Example: `  bindery serve --config /etc/bindery/controller.yaml
  bindery serve --config controller.yaml --log json --log-level debug`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), &o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", defaultConfig, "settings `file`")
	f.StringVar(&o.log, "log", "text", "text or json")
	f.StringVar(&o.level, "log-level", "info", "debug, info, warn or error")
	return cmd
}

func runServe(ctx context.Context, o *serveOptions, s streams) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.level)); err != nil {
		return errors.New("--log-level is debug, info, warn or error")
	}
	handler := eventlog.New(s.Err, level)
	switch o.log {
	case "text":
	case "json":
		handler = slog.NewJSONHandler(s.Err, &slog.HandlerOptions{Level: level})
	default:
		return errors.New("--log is text or json")
	}
	settings, err := loadSettings(o.config)
	if err != nil {
		return asWhom(err)
	}
	if err := ownState(settings.State, o.config, os.Geteuid()); err != nil {
		return withCode(exitUsage, err)
	}
	secrets, err := settings.LoadSecrets(os.Getenv)
	if err != nil {
		return withCode(exitUsage, asWhom(err))
	}
	c, err := controller.New(ctx, controller.Config{Settings: settings, Secrets: secrets, Logger: slog.New(handler), Version: version})
	if err != nil {
		return withCode(exitUnavailable, asWhom(err))
	}
	defer c.Close()
	err = c.Run(ctx)
	if ctx.Err() != nil {
		return nil // a signal is how a controller ends
	}
	return withCode(exitUnavailable, err)
}

// ownState refuses to serve as root what is another user's: files of root's would be
// left there, and the next start as that user would fail.
func ownState(folder, config string, me int) error {
	info, err := os.Stat(folder)
	if err != nil || me != 0 {
		return nil // a folder that is not there is made, and who may not enter it is told so
	}
	uid, _, ok := owner.Of(info)
	if !ok || uid == 0 {
		return nil
	}
	return fmt.Errorf("%s belongs to %s, who could not read what root leaves there: systemctl start bindery, or runuser -u %[2]s -- bindery serve --config %s", folder, owner.Name(uid), config)
}

// asWhom says who was not permitted to do it: an administrator is somebody else than
// the user of the unit.
func asWhom(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w; this runs as %s, who has to own the keys and the state, and to read the settings and what they name", err, owner.Name(os.Geteuid()))
}

// defaultConfig is where controller.yaml is unless --config says otherwise.
const defaultConfig = "/etc/bindery/controller.yaml"

// loadSettings reads controller.yaml.
func loadSettings(file string) (*controller.Settings, error) {
	settings, err := controller.LoadSettings(file)
	if errors.Is(err, fs.ErrNotExist) && file == defaultConfig {
		err = fmt.Errorf("%w; say where it is with --config", err)
	}
	return settings, withCode(exitUsage, err)
}
