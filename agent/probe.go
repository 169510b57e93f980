// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/system"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/release"
)

const (
	fileFacts   = "facts.json"
	fileAnswers = "answers.json"
	probeDir    = "probes"
)

// told is what the controller was told last.
type told struct {
	ProbeDigest string `json:"probe_digest"`
	Answers     string `json:"answers"`
	// Sent is when.
	Sent time.Time `json:"sent,omitzero"`
}

// fresh tells whether the controller will not take what it was told for old.
func (t told) fresh(now time.Time) bool {
	age := now.Sub(t.Sent)
	return age >= 0 && age < confirmAfter
}

func (t told) same(o told) bool { return t.ProbeDigest == o.ProbeDigest && t.Answers == o.Answers }

// confirmAfter is when answers that are as ever are sent once more: a controller takes
// answers for old that it got a week ago.
const confirmAfter = 24 * time.Hour

// How often the agent looks for the release that new facts bring.
const (
	firstLook = 250 * time.Millisecond
	lastLook  = 5 * time.Second
)

// askProbes runs the signed probe set and, where the answers are new, sends them
// and waits for the release that they bring. It tells whether one came.
func (a *Agent) askProbes(ctx context.Context, b *release.Bundle, result *Result) (bool, error) {
	answers, err := a.runProbes(ctx, b.Probes, result)
	if err != nil {
		if a.ran != nil {
			a.ran.NoFacts = short(err.Error())
		}
		return false, fmt.Errorf("no facts are sent, the controller keeps the last ones: %w", err)
	}
	now, err := digest(b, answers)
	if err != nil {
		return false, err
	}
	var before told
	found, err := a.c.State.Load(fileFacts, &before)
	if err != nil {
		return false, err
	}
	known := found && before.same(now) && !b.Manifest.Waiting
	// A last good answer that stands in is not confirmed.
	if known && (len(result.stale) > 0 || before.fresh(a.c.Machine.Now())) {
		return false, nil
	}
	if err := a.sendFacts(ctx, answers, now); err != nil {
		if known {
			a.c.Logger.Warn("facts that are as ever were not confirmed", "err", err)
			return false, nil
		}
		return false, err
	}
	if known {
		return false, nil // nothing comes of it
	}
	return a.await(ctx, b.Manifest.Sequence)
}

// sendFacts tells the controller what the probes answered, and keeps that it was told.
func (a *Agent) sendFacts(ctx context.Context, answers map[string]string, now told) error {
	now.Sent = a.c.Machine.Now().UTC().Truncate(time.Second)
	counter, err := a.c.State.Counter(a.c.Machine.Now())
	if err != nil {
		return err
	}
	message, err := a.identity.SignFacts(release.Facts{
		HostID: a.enrolment.HostID, Host: a.enrolment.Host, Counter: counter, Time: a.c.Machine.Now().UTC(),
		ProbeDigest: now.ProbeDigest, Answers: answers,
	})
	if err != nil {
		return err
	}
	if _, err := post(ctx, a.c.Client, a.enrolment.URL+"/api/v1/facts", message); err != nil {
		return fmt.Errorf("send facts: %w", err)
	}
	return a.c.State.Save(fileFacts, now)
}

func digest(b *release.Bundle, answers map[string]string) (told, error) {
	data, err := json.Marshal(answers) // sorts the keys
	if err != nil {
		return told{}, fmt.Errorf("encode facts: %w", err)
	}
	sum := sha256.Sum256(data)
	return told{ProbeDigest: b.Manifest.ProbeDigest, Answers: hex.EncodeToString(sum[:])}, nil
}

// await looks for another release than the given one, for a bounded time. That
// none comes is no error: facts need not change anything.
func (a *Agent) await(ctx context.Context, sequence int64) (bool, error) {
	end := time.NewTimer(a.c.FactsWait)
	defer end.Stop()
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		next := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			next.Stop()
			return false, ctx.Err()
		case <-end.C:
			next.Stop()
			return false, nil
		case <-next.C:
		}
		if err := a.fetch(ctx, pollAgain); err != nil {
			return false, err
		}
		have, err := a.spool()
		if err != nil || have != nil && have.Sequence != sequence {
			return err == nil, err
		}
	}
}

// fileProbes is the source of probes that ask for files. Nothing about a host
// follows from their answers.
const fileProbes = "FileProbes"

// runProbes runs all probes. For one that fails its last good answer stands in; where
// there is none all answers are unknown: a part of them would look like a host that
// lost its groups.
func (a *Agent) runProbes(ctx context.Context, probes []config.Probe, result *Result) (map[string]string, error) {
	dir := filepath.Join(a.c.State.Path(), probeDir)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("run probes: %w", err)
	}
	defer os.RemoveAll(dir)
	known, err := a.known()
	if err != nil {
		return nil, err
	}
	result.stale = nil
	answers, now := make(map[string]string, len(probes)), map[string]goodAnswer{}
	for i, p := range probes {
		out, err := a.runProbe(ctx, filepath.Join(dir, strconv.Itoa(i)), p)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		key, k := p.Key(), goodAnswer{Probe: config.ProbeDigest(probes[i : i+1]).String()}
		last, found := known[key]
		switch {
		case err == nil:
			k.Answer = strings.ToValidUTF8(string(out), "\uFFFD")
		case found && last.Probe == k.Probe:
			if k = last; k.Failed.IsZero() {
				k.Failed = a.c.Machine.Now().UTC().Truncate(time.Second)
			}
			a.c.Logger.Warn("a probe fails, its last good answer stands in", "probe", p.Name, "since", k.Failed, "err", err)
			result.stale = append(result.stale, release.StaleFact{Probe: key, Since: k.Failed, Reason: short(err.Error())})
		case p.Source == fileProbes:
			answers[key] = "" // it needs a Python, which not every host has
			continue
		default:
			return nil, fmt.Errorf("probe %q: %w", p.Name, err)
		}
		answers[key], now[key] = k.Answer, k
	}
	if maps.Equal(known, now) {
		return answers, nil
	}
	return answers, a.c.State.Save(fileAnswers, now)
}

// goodAnswer is the last good answer of a probe.
type goodAnswer struct {
	// Probe is the digest of the probe that gave it: another one asked something else.
	Probe  string `json:"probe"`
	Answer string `json:"answer"`
	// Failed is since when the probe fails, zero where it does not.
	Failed time.Time `json:"failed,omitzero"`
}

func (a *Agent) known() (map[string]goodAnswer, error) {
	var known map[string]goodAnswer
	found, err := a.c.State.Load(fileAnswers, &known)
	if !found {
		known = nil
	}
	return known, err
}

func (a *Agent) runProbe(ctx context.Context, file string, p config.Probe) ([]byte, error) {
	args := interpreter(p.Interpreter)
	if len(args) == 0 {
		return nil, errors.New("no interpreter")
	}
	if _, err := os.Stat(args[0]); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(p.Script), 0o700); err != nil {
		return nil, err
	}
	limits := &system.Limits{CPU: a.c.Probes.CPU, Memory: uint64(a.c.Probes.Megabytes) << 20}
	c := system.Command{
		Args: append(args, file), Env: a.probeEnv(), Dir: "/", Timeout: a.c.Probes.Timeout, MaxOutput: a.c.Probes.MaxOutput, Limits: limits,
	}
	if name := a.c.Probes.User; name != "" && !slices.Contains(a.c.Probes.Root, p.Name) {
		user, err := lookUp(name)
		if err != nil {
			return nil, err
		}
		// Another user reads it by an open file, and need not get to its directory.
		if err := os.Chmod(file, 0o755); err != nil {
			return nil, err
		}
		script, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer script.Close()
		limits.User, limits.Processes = user, uint64(a.c.Probes.Processes)
		c.Args, c.Script = append(args, "/dev/fd/3"), script
	}
	r, err := a.c.Machine.Processes.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	if r.Exit != 0 {
		return nil, fmt.Errorf("ended with status %d", r.Exit)
	}
	return r.Stdout, nil
}

func (a *Agent) probeEnv() []string {
	root := a.c.Machine.Root
	if root == "/" {
		root = "" // so that $BINDERY_ROOT/etc is a name everywhere
	}
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C", "BINDERY_ROOT=" + root}
}

// lookUp finds who probes run as.
func lookUp(name string) (*system.User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("probes.user: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("probes.user: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("probes.user: %w", err)
	}
	return &system.User{UID: uint32(uid), GID: uint32(gid)}, nil
}

// interpreter splits the rest of a "#!" line as the kernel does: the program, and
// all else as one argument.
func interpreter(line string) []string {
	program, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	if program == "" {
		return nil
	}
	if arg = strings.TrimSpace(arg); arg == "" {
		return []string{program}
	}
	return []string{program, arg}
}
