// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bindery/bindery/agent"
	"github.com/bindery/bindery/internal/eventlog"
)

func newGuardCommand(s streams) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "guard",
		Short: "Take an unconfirmed change back if the agent no longer can",
		Long: `Guard is started by a run before its first change, where the policy wants changes
confirmed (policy.confirm). It waits until the run has reached its source again. If
the run was killed meanwhile, or stands still, guard reaches the source in its place,
or takes the change back. Without an unconfirmed change it ends at once.
` + exitHelp,
		Example: `  bindery-agent guard`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runGuard(cmd.Context(), o, s) },
	}
	o.addFlags(cmd.Flags(), s)
	return cmd
}

func runGuard(ctx context.Context, o *options, s streams) error {
	a, _, stop, err := o.open(slog.New(eventlog.New(s.Err, slog.LevelInfo)), false)
	if err != nil {
		return err
	}
	defer stop()
	if err := a.Guard(ctx); err != nil {
		return failed(err)
	}
	return nil
}

// guard starts this program once more, where neither a kill of this process nor a
// stop of its service reaches it: as a unit of its own where systemd runs, else in a
// session of its own.
func (o *options) guard(settings agent.Settings) func() error {
	return func() error {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		args := []string{self, "guard"}
		for _, f := range [][2]string{{"--state", settings.State}, {"--root", settings.Root}, {"--config", o.config}} {
			if f[1] == "" {
				continue
			}
			name, err := filepath.Abs(f[1])
			if err != nil {
				return err
			}
			args = append(args, f[0], name)
		}
		if settings.URL != "" {
			args = append(args, "--url", settings.URL)
		}
		if _, err := os.Stat("/run/systemd/system"); err == nil && os.Geteuid() == 0 {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			unit := "bindery-agent-guard-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().Unix(), 10)
			if exec.CommandContext(ctx, "systemd-run", append([]string{"--quiet", "--collect", "--no-ask-password", "--unit", unit, "--"}, args...)...).Run() == nil {
				return nil
			}
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("start guard: %w", err)
		}
		// It is nobody's child any more once this process ends; until then it is
		// waited for, so that it leaves nothing behind.
		go func() { _ = cmd.Wait() }()
		return nil
	}
}
