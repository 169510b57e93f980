// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// files is how many files the one host of a site has, size how long each is.
	siteFiles = 150
	siteSize  = 2048
	siteHost  = "web1.example.test"
	// startTime bounds how long a site takes to be ready.
	startTime = 30 * time.Second
)

// site is a real controller with one enrolled host that has its files already. What
// the host says goes through a wire that counts.
type site struct {
	folder     string
	agent      string
	wire       *wire
	controller *exec.Cmd
}

// newSite builds both programs, starts the controller on a small repository, and
// enrols and applies its one host below a folder.
func newSite(ctx context.Context) (s *site, err error) {
	s = &site{}
	if s.folder, err = os.MkdirTemp("", "bench-*"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	controller, err := stripped(ctx, s.folder, "bindery")
	if err != nil {
		return nil, err
	}
	if s.agent, err = stripped(ctx, s.folder, "bindery-agent"); err != nil {
		return nil, err
	}
	if err := s.write(); err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"git", "init", "-q", "-b", "main", "spec"},
		{"git", "-C", "spec", "add", "-A"},
		{"git", "-C", "spec", "-c", "user.name=bench", "-c", "user.email=bench@example.test", "commit", "-qm", "bench"},
		{controller, "root", "init", "--dir", "offline", "--online", "keys", "--no-passphrase"},
	} {
		if _, err := s.command(ctx, args...); err != nil {
			return nil, err
		}
	}
	if err := s.serve(ctx, controller); err != nil {
		return nil, err
	}
	return s, s.enrol(ctx, controller)
}

// write makes the specification.
func (s *site) write() error {
	var paths strings.Builder
	files := map[string]string{
		"spec/Metadata/clients.xml": `<Clients><Client name="` + siteHost + `" profile="all"/></Clients>`,
		"spec/Metadata/groups.xml":  `<Groups><Group name="all" profile="true" public="true"><Bundle name="files"/></Group></Groups>`,
	}
	for i := range siteFiles {
		name := fmt.Sprintf("file%03d", i)
		fmt.Fprintf(&paths, "<Path name=\"/srv/%s\"/>\n", name)
		line := fmt.Sprintf("a line of %s that says little\n", name)
		files["spec/Cfg/srv/"+name+"/"+name] = strings.Repeat(line, siteSize/len(line))
	}
	files["spec/Bundler/files.xml"] = "<Bundle>\n" + paths.String() + others() + "</Bundle>"
	for name, text := range files {
		name = filepath.Join(s.folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("write specification: %w", err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // a specification is no secret here
			return fmt.Errorf("write specification: %w", err)
		}
	}
	return s.furnish()
}

// serve starts the controller and the wire before it.
func (s *site) serve(ctx context.Context, controller string) error {
	public, err := freeAddress()
	if err != nil {
		return err
	}
	admin, err := freeAddress()
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("listen: %s\nadmin_listen: %s\nstate: state\nkeys: keys\nrepositories: [{name: bench/spec, url: spec}]\n", public, admin)
	if err := os.WriteFile(filepath.Join(s.folder, "controller.yaml"), []byte(settings), 0o600); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	s.controller = exec.CommandContext(ctx, controller, "serve", "--config", "controller.yaml", "--log-level", "warn")
	s.controller.Dir, s.controller.Stderr = s.folder, os.Stderr
	if err := s.controller.Start(); err != nil {
		return fmt.Errorf("start controller: %w", err)
	}
	if s.wire, err = newWire(public); err != nil {
		return err
	}
	return patiently(ctx, func() error {
		resp, err := http.Get("http://" + admin + "/readyz") //nolint:noctx // patiently ends it
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("the controller is not ready: %s", resp.Status)
		}
		return nil
	})
}

// enrol brings the host to its first applied release.
func (s *site) enrol(ctx context.Context, controller string) error {
	text, err := s.command(ctx, controller, "hosts", "add", siteHost, "--config", "controller.yaml", "--format", "json")
	if err != nil {
		return err
	}
	var token struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(text, &token); err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	if err := os.WriteFile(filepath.Join(s.folder, "host", "token"), []byte(token.Token), 0o600); err != nil {
		return fmt.Errorf("write token: %w", err)
	}
	if _, err := output(s.onHost(ctx, "enroll", "--url", "http://"+s.wire.address(), "--host", siteHost, "--token-file", "/token")); err != nil {
		return err
	}
	if err := patiently(ctx, func() error { _, err := s.run(ctx); return err }); err != nil {
		return err
	}
	// Once more: the first runs also report what they did.
	return patiently(ctx, func() error {
		out, err := s.run(ctx)
		if err == nil && !strings.Contains(string(out), fmt.Sprintf("%d good, 0 bad, 0 modified", siteEntries)) {
			err = fmt.Errorf("a run still changes something: %s", out)
		}
		return err
	})
}

// run lets the agent run once, as a process of its own.
func (s *site) run(ctx context.Context) ([]byte, error) {
	return output(s.onHost(ctx, "run", "--once"))
}

func (s *site) command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = s.folder
	return output(cmd)
}

func output(cmd *exec.Cmd) ([]byte, error) {
	cmd.Stderr = nil // the error tells it
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w\n%s%s", err, out, exit.Stderr)
		}
		return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args[:2], " "), err)
	}
	return out, nil
}

func (s *site) close() {
	if s.controller != nil && s.controller.Process != nil {
		_ = s.controller.Process.Kill()
		_ = s.controller.Wait()
	}
	if s.wire != nil {
		s.wire.close()
	}
	_ = os.RemoveAll(s.folder)
}

// stripped builds a program as a release does.
func stripped(ctx context.Context, folder, name string) (string, error) {
	out := filepath.Join(folder, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, text)
	}
	return out, nil
}

// freeAddress finds a port of loopback that nobody has now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// patiently tries until it works or the time is over.
func patiently(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
