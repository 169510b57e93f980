// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/bindery/bindery/webhooks/forgetest"
	"github.com/bindery/bindery/webhooks/github/githubtest"
)

// action is what GitHub reads of action.yml.
type action struct {
	Name, Description string
	Branding          map[string]string
	Inputs            map[string]struct{ Description, Default string }
	Outputs           map[string]struct{ Description, Value string }
	Runs              struct {
		Using string
		Steps []struct {
			Name, ID, Uses, Shell, Run string
			Env                        map[string]string
		}
	}
}

func readAction(t *testing.T) (action, string) {
	t.Helper()
	data, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.UnmarshalWithOptions(data, &a, yaml.Strict()))
	return a, string(data)
}

// Every input is used and described, what others type stays in variables, and nothing
// is fetched that has no digest.
func TestActionIsWhole(t *testing.T) {
	a, text := readAction(t)
	require.Equal(t, "composite", a.Runs.Using)
	for name, in := range a.Inputs {
		require.NotEmpty(t, in.Description, name)
		require.Contains(t, text, "${{ inputs."+name+" }}", "%s is used", name)
	}
	for _, m := range regexp.MustCompile(`inputs\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		require.Contains(t, a.Inputs, m[1])
	}
	for _, step := range a.Runs.Steps {
		require.Equal(t, "bash", step.Shell)
		require.Empty(t, step.Uses, "no other action: its tag could be moved")
		require.NotContains(t, step.Run, "${{", "what somebody types would be a program")
		require.NotRegexp(t, `\b(curl|wget|npm|pip|docker)\b`, step.Run)
		for _, name := range regexp.MustCompile(`\$\{?([A-Z_]+)`).FindAllStringSubmatch(step.Run, -1) {
			if !strings.HasPrefix(name[1], "GITHUB_") && name[1] != "RUNNER_TEMP" && name[1] != "TOKEN" {
				require.Contains(t, step.Env, name[1], "%s is set", name[1])
			}
		}
	}
}

// What people are told to use in their own files is pinned by commits.
func TestActionsOfTheDocumentationArePinned(t *testing.T) {
	data, err := os.ReadFile("../../docs/how-to/ci.md")
	require.NoError(t, err)
	used := regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(string(data), -1)
	require.NotEmpty(t, used)
	for _, u := range used {
		require.Regexp(t, `@([0-9a-f]{40}|COMMIT)$`, u[1])
	}
}

// runAction runs the last step as GitHub does, and gives its exit code and outputs.
func runAction(t *testing.T, c *commented, from string) (code int, summary, log string) {
	t.Helper()
	a, _ := readAction(t)
	step := a.Runs.Steps[len(a.Runs.Steps)-1]
	temp := t.TempDir()
	program, err := exec.LookPath("bindery")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(program, filepath.Join(temp, "bindery")))
	require.NoError(t, os.WriteFile(filepath.Join(temp, "step"), []byte(step.Run), 0o600))
	values := map[string]string{
		"github.event.pull_request.number": "1", "github.event.pull_request.head.repo.full_name": from, "inputs.token": jobToken,
		"inputs.spec": c.work,
	}
	for name, in := range a.Inputs {
		if values["inputs."+name] == "" {
			values["inputs."+name] = in.Default
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", filepath.Join(temp, "step"))
	cmd.Dir = temp
	api := c.flags[3] // what --forge-url says
	cmd.Env = append(os.Environ(), "RUNNER_TEMP="+temp, "GITHUB_STEP_SUMMARY="+filepath.Join(temp, "summary"), "GITHUB_OUTPUT="+filepath.Join(temp, "output"),
		"GITHUB_REPOSITORY=acme/site", "GITHUB_API_URL="+api, "BINDERY_GITHUB_TOKEN=")
	for name, text := range step.Env {
		key := strings.TrimSuffix(strings.TrimPrefix(text, "${{ "), " }}")
		require.Contains(t, values, key)
		cmd.Env = append(cmd.Env, name+"="+values[key])
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	data, err := os.ReadFile(filepath.Join(temp, "summary"))
	require.NoError(t, err, string(out))
	output, err := os.ReadFile(filepath.Join(temp, "output"))
	require.NoError(t, err)
	require.Equal(t, "report="+filepath.Join(temp, "bindery-report.md")+"\n", string(output))
	require.NotContains(t, string(data)+string(out), "CANARY")
	return cmd.ProcessState.ExitCode(), string(data), string(out)
}

// The step that the action ends with comments once, edits after the next push, and
// leaves forks the summary.
func TestActionComments(t *testing.T) {
	c := newCommented(t, "github", githubtest.New, githubtest.APIPath)
	merged := func() {
		c.git("checkout", "-q", "--detach", "main")
		c.git("merge", "-q", "--no-ff", "-m", "merged", "change")
	}
	merged()
	for i, word := range []string{"two", "three"} {
		if i > 0 {
			c.git("checkout", "-q", "change")
			c.commit(map[string]string{"Cfg/a/a": word + "\n"})
			c.git("push", "-q", c.forge.RepoDir(), "change")
			for _, state := range []string{"closed", "open"} { // a push into the folder tells the forge nothing
				_, err := c.forge.EditPull(t.Context(), 1, forgetest.Edit{State: new(state)})
				require.NoError(t, err)
			}
			merged()
		}
		code, summary, log := runAction(t, c, "acme/site")
		require.Zero(t, code, log)
		require.Contains(t, summary, "+"+word)
		all := c.forge.Comments(1)
		require.Len(t, all, 1)
		require.Contains(t, all[0].Body, "+"+word)
	}
	before := c.forge.Calls()
	code, summary, log := runAction(t, c, "eve/fork")
	require.Zero(t, code, log)
	require.Contains(t, summary, "+three")
	require.Contains(t, log, "::notice::")
	require.Equal(t, before, c.forge.Calls(), "the forge was not asked, "+strconv.Itoa(before)+" calls")

	// What does not build fails the job.
	c.git("checkout", "-q", "change")
	c.commit(map[string]string{"Bundler/a.xml": "<Bundle"})
	merged()
	code, summary, _ = runAction(t, c, "eve/fork")
	require.Equal(t, exitFindings, code)
	require.Contains(t, summary, "Bundler/a.xml")
}

// Each approval reaches the program, however a variable of the repository has them, and
// none is taken for the name of a file.
func TestActionTakesEveryApproval(t *testing.T) {
	a, _ := readAction(t)
	temp := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(temp, "bindery"), []byte("#!/bin/sh\nprintf '%s\\n' \"$@\"\n"), 0o700))
	step := a.Runs.Steps[len(a.Runs.Steps)-1].Run
	for approve, want := range map[string][]string{"": nil, "aa bb": {"aa", "bb"}, "aa\r\nbb\n cc\n": {"aa", "bb", "cc"}, "*": {"*"}} {
		cmd := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step)
		cmd.Dir = temp
		for _, name := range []string{"SPEC=.", "BASE=a", "HEAD=b", "PROBE_DATA=", "FACTS_ROOT=", "FORGE=github", "TOKEN=x", "ACCOUNT=", "PULL=1", "FROM=o/r", "GITHUB_REPOSITORY=o/r", "GITHUB_API_URL=https://x"} {
			cmd.Env = append(cmd.Env, name)
		}
		cmd.Env = append(cmd.Env, "PATH="+os.Getenv("PATH"), "APPROVE="+approve, "RUNNER_TEMP="+temp, "GITHUB_STEP_SUMMARY="+temp+"/summary", "GITHUB_OUTPUT="+temp+"/output")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		said, err := os.ReadFile(filepath.Join(temp, "bindery-report.md"))
		require.NoError(t, err)
		var got []string
		for _, m := range regexp.MustCompile(`--approve\n(.*)\n`).FindAllStringSubmatch(string(said), -1) {
			got = append(got, m[1])
		}
		require.Equal(t, want, got, "%q", approve)
	}
}
