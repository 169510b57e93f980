// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bindery/bindery/engine"
	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review"
	"github.com/bindery/bindery/engine/review/terminal"
	"github.com/bindery/bindery/engine/review/words"
)

// maxAnswer bounds an answer, in bytes: forges take 65,536 characters.
const maxAnswer = 30_000

// inline shows foreign text within a line: nothing of it acts, and nobody is told.
func inline(s string) string {
	s = strings.ReplaceAll(words.Clip(words.Visible(s, false), 200), "`", "'")
	return "`" + s + "`"
}

// block shows foreign text as it is, behind a fence that it cannot end.
func block(text string) string {
	var b strings.Builder
	longest := 0
	for line := range strings.Lines(text) {
		line = words.Visible(strings.TrimRight(line, "\n"), true)
		if b.Len()+len(line) > maxAnswer {
			b.WriteString("… and more, which is too long for a comment\n")
			break
		}
		b.WriteString(line + "\n")
		for run := range strings.FieldsFuncSeq(line, func(r rune) bool { return r != '`' }) {
			longest = max(longest, len(run))
		}
	}
	fence := strings.Repeat("`", max(3, longest+1))
	return fence + "\n" + b.String() + fence
}

// sides builds what a question is about. A refusal says why it was not built.
func (p *pipeline) sides(ctx context.Context, c conversation) (base, head *site, why *answer, err error) {
	may, err := p.allowed(ctx, c.pull)
	if err != nil {
		return nil, nil, nil, err
	}
	if !may {
		no := refusal("This comes from a fork and was not built. Look at it, and allow it:\n\n```\n/bindery preview %s\n```", c.pull.Head)
		return nil, nil, &no, nil
	}
	merged, err := p.merge(ctx, c.tip, c.pull)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(merged.files) > 0 {
		no := refusal("It does not merge, so nothing was built. Files in conflict:\n\n%s", block(strings.Join(merged.files, "\n")))
		return nil, nil, &no, nil
	}
	if merged.commit == "" {
		no := refusal("It cannot be merged here yet, so nothing was built.")
		return nil, nil, &no, nil
	}
	if base, err = c.built.get(ctx, c.tip); err != nil {
		return nil, nil, nil, err
	}
	head, err = c.built.get(ctx, merged.commit)
	return base, head, nil, err
}

// showHost lists what a host would get.
func (p *pipeline) showHost(ctx context.Context, c conversation, host string) (answer, error) {
	_, head, no, err := p.sides(ctx, c)
	if err != nil || no != nil {
		return given(no), err
	}
	r := head.results[host]
	switch {
	case r == nil:
		return refusal("There is no host %s.", inline(host)), nil
	case r.Config == nil:
		return refusal("It is refused:\n\n%s", block(refusedText(r.Refused))), nil
	}
	failed := map[string]string{}
	for _, f := range r.Failures {
		failed[f.Tag+":"+f.Name] = f.Problem.Msg
	}
	var b strings.Builder
	count := 0
	for _, bundle := range r.Config.Bundles {
		fmt.Fprintf(&b, "%s\n", structure(bundle))
		for _, e := range bundle.Entries {
			count++
			fmt.Fprintf(&b, "  %s:%s", e.Tag, e.Name())
			if msg, ok := failed[e.Tag+":"+e.Name()]; ok {
				fmt.Fprintf(&b, "  FAILED: %s", msg)
			}
			b.WriteByte('\n')
		}
	}
	groups := slices.Sorted(slices.Values(r.Groups))
	head1 := fmt.Sprintf("%s would get %s. Groups: %s\n\n", inline(host), words.Count(count, "entry", "entries"), inline(strings.Join(groups, " ")))
	return answer{text: head1 + block(b.String())}, nil
}

func structure(b *config.Bundle) string {
	name := b.Name()
	if name == "" {
		return b.Tag
	}
	return b.Tag + " " + name
}

func refusedText(p *problem.Problem) string {
	if p == nil {
		return "nothing says why"
	}
	return strings.TrimSpace(p.Pos.String() + " " + p.Msg + "\n" + p.Hint)
}

func given(no *answer) answer {
	if no == nil {
		return answer{}
	}
	return *no
}

// cutEntry reads TAG:NAME.
func cutEntry(text string) (tag, name string, ok bool) {
	tag, name, ok = strings.Cut(text, ":")
	return tag, name, ok && tag != "" && name != ""
}

const entryUsage = "An entry is named TAG:NAME, such as `Path:/etc/motd`."

// diffEntry shows what changes of one entry of one host, with every line that is no
// secret.
func (p *pipeline) diffEntry(ctx context.Context, c conversation, host, entry string) (answer, error) {
	tag, name, ok := cutEntry(entry)
	if !ok {
		return refusal(entryUsage), nil
	}
	base, head, no, err := p.sides(ctx, c)
	if err != nil || no != nil {
		return given(no), err
	}
	h := review.Host{Name: host, Base: base.side(host), Head: head.side(host)}
	if h.Base == nil && h.Head == nil {
		return refusal("There is no host %s.", inline(host)), nil
	}
	report, err := review.New(ctx, review.Input{Hosts: []review.Host{h}, Key: p.key})
	if err != nil {
		return answer{}, err
	}
	report.Impact, report.Errors, report.Known = nil, nil, nil
	report.Changes = slices.DeleteFunc(report.Changes, func(ch review.Change) bool {
		return ch.Entry.Tag != tag || ch.Entry.Name != name
	})
	if len(report.Changes) == 0 {
		return answer{text: fmt.Sprintf("Nothing changes of %s on %s.", inline(entry), inline(host))}, nil
	}
	return answer{text: block(terminal.New(report, terminal.Options{Context: 3}))}, nil
}

// why says how an entry comes to a host. Answers of probes are not told: those who
// may write the specification need not know them.
func (p *pipeline) why(ctx context.Context, c conversation, host, entry string) (answer, error) {
	tag, name, ok := cutEntry(entry)
	if !ok {
		return refusal(entryUsage), nil
	}
	_, head, no, err := p.sides(ctx, c)
	if err != nil || no != nil {
		return given(no), err
	}
	if head.results[host] == nil {
		return refusal("There is no host %s.", inline(host)), nil
	}
	found, refused, err := head.spec.Explain(ctx, c.built.fleet.input(host), tag, name, 0)
	switch {
	case err != nil:
		return answer{}, err
	case refused != nil:
		return refusal("The host is refused:\n\n%s", block(refusedText(refused))), nil
	case len(found) == 0:
		return refusal("%s has no %s. `/bindery show` lists what it has.", inline(host), inline(entry)), nil
	}
	var b strings.Builder
	for _, e := range found {
		fmt.Fprintf(&b, "%s %s on %s, in %s\n", e.Entry.Tag, e.Entry.Name(), e.Host, e.Structure)
		for _, l := range e.Links {
			fmt.Fprintf(&b, "  %-10s %s\n", l.Kind, link(l))
		}
		for _, a := range e.Asked {
			fmt.Fprintf(&b, "  %-10s %s\n", "asked", strings.TrimSpace(a.About+" "+a.Name))
		}
		if e.Problem != nil {
			fmt.Fprintf(&b, "  %-10s %s %s\n", "failed", e.Problem.Pos, e.Problem.Msg)
		}
	}
	return answer{text: block(b.String())}, nil
}

// link puts one link of an explanation on a line.
func link(l engine.Link) string {
	parts := []string{l.Pos.String(), l.Text}
	if l.State != "" {
		parts = append(parts, map[string]string{"chosen": "chosen", "beaten": "beaten", "other": "not for this host"}[l.State])
	}
	if l.For != "" {
		parts = append(parts, "("+l.For+")")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}
