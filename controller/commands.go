// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/controller/store"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/webhooks"
)

const (
	// commandWord begins a command, as the first word of a comment.
	commandWord = "/bindery"
	// maxCommands bounds how many commands of one pull request are answered at a time.
	maxCommands = 20
	// quiet is how long nobody must have touched a pull request before its comments
	// are not listed again: forges tell times in seconds, and clocks differ.
	quiet = 5 * time.Minute
	// purged is what came of a preview that shall be made and shown anew.
	purged = "purged"
)

// command is what somebody asks in a comment.
type command struct {
	verb string
	args []string
}

// parseCommand reads the first line of a comment. What is quoted, indented or in the
// middle of a text is no command.
func parseCommand(body string) (command, bool) {
	line, _, _ := strings.Cut(body, "\n")
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(line, commandWord+" ") {
		return command{}, false
	}
	return command{fields[1], fields[2:]}, true
}

// answer is what is said to a command.
type answer struct {
	text string
	// refused says that it was not done.
	refused bool
}

func refusal(format string, args ...any) answer {
	return answer{text: fmt.Sprintf(format, args...), refused: true}
}

// hear answers the commands in the comments of a pull request that were not answered
// yet. They are found in the comments themselves, so that none is lost with a
// delivery, and one that was cut off is answered again.
func (p *pipeline) hear(ctx context.Context, c conversation) error {
	pull := c.pull
	talk, ok := p.forge.(webhooks.Talk)
	if !ok || !pull.Updated.IsZero() && p.heard[pull.Number].Equal(pull.Updated) {
		return nil
	}
	name := fmt.Sprintf("refs/pull/%d/commands", pull.Number)
	ref, err := p.store.Ref(ctx, p.repo, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	last, err := strconv.ParseInt(ref.Detail, 10, 64)
	if err != nil {
		last = 0
	}
	notes, err := talk.Notes(ctx, pull.Number)
	if err != nil {
		return err
	}
	// What was edited may have been something else when others agreed to it.
	notes = slices.DeleteFunc(notes, func(n webhooks.Note) bool {
		_, asks := parseCommand(n.Body)
		return n.ID <= last || !asks || n.Edited
	})
	slices.SortFunc(notes, func(a, b webhooks.Note) int { return int(a.ID - b.ID) })
	for _, n := range notes[max(0, len(notes)-maxCommands):] {
		if err := p.obey(ctx, talk, c, n); err != nil {
			return fmt.Errorf("command in comment %d: %w", n.ID, err)
		}
		ref := store.Ref{Repo: p.repo, Name: name, Outcome: "answered", Detail: strconv.FormatInt(n.ID, 10)}
		if err := p.store.PutRef(ctx, ref); err != nil {
			return err
		}
	}
	if pull.Updated.Before(p.now().Add(-quiet)) {
		p.heard[pull.Number] = pull.Updated
	}
	return nil
}

// conversation is what commands are about.
type conversation struct {
	tip   string
	pull  webhooks.Pull
	built *sites
	// held are findings that hold the publication of what was merged, others those who
	// opened what was merged with it.
	held   []review.Finding
	others []string
}

// obey does one command if its author may write, and answers it.
func (p *pipeline) obey(ctx context.Context, talk webhooks.Talk, c conversation, n webhooks.Note) error {
	cmd, _ := parseCommand(n.Body)
	may, err := talk.MayWrite(ctx, n)
	if fe, ok := errors.AsType[*webhooks.Error](err); ok && !fe.Retryable() {
		p.failed(err)
		p.log.Warn("command refused: the forge does not say who may write", "pull", c.pull.Number, "login", n.Login, "err", err)
		may, err = false, nil
	}
	if err != nil {
		return err
	}
	if !may {
		// Without words: they would take the place of an answer to somebody who may.
		p.log.Info("command refused", "pull", c.pull.Number, "login", n.Login, "command", cmd.verb)
		return ignoreMissing(talk.React(ctx, c.pull.Number, n, webhooks.Refused))
	}
	if err := ignoreMissing(talk.React(ctx, c.pull.Number, n, webhooks.Looking)); err != nil {
		return err
	}
	var said answer
	err = within(ctx, previewTime, func(ctx context.Context) (err error) {
		said, err = p.do(ctx, c, cmd, n)
		return err
	})
	if errors.Is(err, errSlow) {
		said, err = refusal("That took too long."), nil
	}
	if err != nil {
		return err
	}
	if err := p.reply(ctx, c.pull, n, cmd, said); err != nil {
		return err
	}
	done := webhooks.Done
	if said.refused {
		done = webhooks.Refused
	}
	p.log.Info("command answered", "pull", c.pull.Number, "login", n.Login, "command", cmd.verb, "refused", said.refused)
	return ignoreMissing(talk.React(ctx, c.pull.Number, n, done))
}

// ignoreMissing is for comments that were deleted meanwhile.
func ignoreMissing(err error) error {
	if webhooks.IsMissing(err) {
		return nil
	}
	return err
}

// reply says the answer in the one comment that holds answers.
func (p *pipeline) reply(ctx context.Context, pull webhooks.Pull, n webhooks.Note, cmd command, said answer) error {
	asked := inline(strings.Join(append([]string{commandWord, cmd.verb}, cmd.args...), " "))
	_, err := p.forge.Post(ctx, webhooks.Post{
		Number: pull.Number, Marker: webhooks.Marker{Reply: true, Seq: n.ID}, Anew: cmd.verb == "purge" && !said.refused,
		Body: fmt.Sprintf("%s by %s, at `%.12s`:\n\n%s\n", asked, inline(n.Login), pull.Head, said.text),
	})
	return err
}

// do does a command. An error is one of ours: the command is tried again.
func (p *pipeline) do(ctx context.Context, c conversation, cmd command, n webhooks.Note) (answer, error) {
	type verb struct {
		args  int
		usage string
		do    func() (answer, error)
	}
	verbs := map[string]verb{
		"preview":   {1, "preview SHA", func() (answer, error) { return p.allow(ctx, c.pull, cmd.args[0], n) }},
		"approve":   {1, "approve HASH", func() (answer, error) { return p.approve(ctx, c, cmd.args[0], n, false) }},
		"unapprove": {1, "unapprove HASH", func() (answer, error) { return p.approve(ctx, c, cmd.args[0], n, true) }},
		"purge":     {0, "purge", func() (answer, error) { return p.purge(ctx, c.pull, n) }},
		"show":      {1, "show HOST", func() (answer, error) { return p.showHost(ctx, c, cmd.args[0]) }},
		"diff":      {2, "diff HOST TAG:NAME", func() (answer, error) { return p.diffEntry(ctx, c, cmd.args[0], cmd.args[1]) }},
		"why":       {2, "why HOST TAG:NAME", func() (answer, error) { return p.why(ctx, c, cmd.args[0], cmd.args[1]) }},
	}
	v, ok := verbs[cmd.verb]
	if !ok {
		return refusal("There is no such command. These are: `/bindery preview SHA`, `/bindery show HOST`, `/bindery diff HOST TAG:NAME`, " +
			"`/bindery why HOST TAG:NAME`, `/bindery approve HASH`, `/bindery unapprove HASH` and `/bindery purge`."), nil
	}
	if len(cmd.args) != v.args {
		return refusal("It is `/bindery %s`.", v.usage), nil
	}
	return v.do()
}

func allowedRef(pull webhooks.Pull) string { return fmt.Sprintf("refs/pull/%d/allowed", pull.Number) }

// allow lets the head of a stranger be built: that very commit, and none that is
// pushed later.
func (p *pipeline) allow(ctx context.Context, pull webhooks.Pull, commit string, n webhooks.Note) (answer, error) {
	if !pull.Fork {
		return answer{text: "This pull request is built without being asked: it is not from a fork."}, nil
	}
	if commit != pull.Head {
		return refusal("The head is `%s` now. Look at it, and name it in full:\n\n```\n/bindery preview %[1]s\n```", pull.Head), nil
	}
	if err := p.store.Audit(ctx, store.Record{
		Actor: n.Login, Action: "fork-allowed", Subject: commit, Detail: fmt.Sprintf("pull request %d of %s", pull.Number, p.repo),
	}); err != nil {
		return answer{}, err
	}
	err := p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: allowedRef(pull), Commit: commit, Outcome: "allowed", Detail: n.Login})
	return answer{text: "It is built now, and previewed like any other. Another push has to be allowed anew."}, err
}

// allowed tells whether the head may be built: its templates see facts of hosts.
func (p *pipeline) allowed(ctx context.Context, pull webhooks.Pull) (bool, error) {
	if !pull.Fork {
		return true, nil
	}
	ref, err := p.store.Ref(ctx, p.repo, allowedRef(pull))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && ref.Commit == pull.Head, err
}

// purge makes the preview and shows it anew. Forges keep the old texts of a comment
// that is edited, so both comments of ours are deleted and written again.
func (p *pipeline) purge(ctx context.Context, pull webhooks.Pull, n webhooks.Note) (answer, error) {
	if err := p.store.Audit(ctx, store.Record{
		Actor: n.Login, Action: "preview-purged", Subject: pull.Head, Detail: fmt.Sprintf("pull request %d of %s", pull.Number, p.repo),
	}); err != nil {
		return answer{}, err
	}
	err := p.store.PutRef(ctx, store.Ref{Repo: p.repo, Name: fmt.Sprintf("refs/pull/%d", pull.Number), Commit: pull.Head, Outcome: purged})
	return answer{text: "What was said here is deleted and made anew. A secret that was shown has to be changed all the same."}, err
}
