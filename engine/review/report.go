// SPDX-License-Identifier: Apache-2.0

// Package review compares two fleets, base and head, and says what a change does
// to whom: a Report. Markdown, text and JSON are views of one Report, so they
// cannot disagree. The same comparison gives the Set of reviewed changes that a
// publication must stay within.
//
// Secrets are replaced by keyed fingerprints before anything is grouped, so no
// view can show one. Equal work is done once: hosts with equal configurations
// are compared once, equal changes of an entry are rendered once.
//
// The package must not know where configurations come from, who posts a comment,
// or what time it is.
package review

import (
	"time"

	"github.com/bindery/bindery/engine/config"
	"github.com/bindery/bindery/engine/problem"
	"github.com/bindery/bindery/engine/review/hostset"
	"github.com/bindery/bindery/engine/textdiff"
)

// Meta is what surrounds a comparison. Everything is optional; what is empty is
// not shown.
type Meta struct {
	// App is the id that owns the comment, Number the pull request, Seq the
	// number of this preview of it.
	App    string `json:"app,omitempty"`
	Number int    `json:"number,omitempty"`
	Seq    int    `json:"seq,omitempty"`
	// Base and Head are commits, BaseName the branch.
	Base     string `json:"base,omitempty"`
	Head     string `json:"head,omitempty"`
	BaseName string `json:"base_name,omitempty"`
	// Files counts the files of the specification that changed.
	Files int `json:"files,omitempty"`
	// Built and Reused count host configurations, Took is how long it took.
	Built  int           `json:"built,omitempty"`
	Reused int           `json:"reused,omitempty"`
	Took   time.Duration `json:"took_ns,omitempty"`
	// Facts says which facts the hosts were built with, where that is known.
	Facts string `json:"facts,omitempty"`
	// Supposed is what was taken for true of hosts, against what is known of them.
	Supposed []string `json:"supposed,omitempty"`
	// Moved says what became of the preview since the base moved, nil where it did not.
	Moved *Moved `json:"moved,omitempty"`
	// Others are other pull requests that touch the same.
	Others []Other `json:"others,omitempty"`
	// Commands says that commands in comments are answered.
	Commands bool `json:"commands,omitempty"`
	// Touches are the files of a change that was read and not built, Possible the hosts
	// that it may reach at most.
	Touches  []string `json:"touches,omitempty"`
	Possible int      `json:"possible,omitempty"`
	// ReportURL and JSONURL lead to the whole report.
	ReportURL string `json:"report_url,omitempty"`
	JSONURL   string `json:"json_url,omitempty"`
}

// Moved is how a preview compares with the one before it, of the same head on an
// older base.
type Moved struct {
	// Commits came into the base since.
	Commits int `json:"commits"`
	// Same tells that hosts would get the same changes.
	Same bool `json:"same"`
}

// Other is another pull request that touches the same entries of the same hosts.
type Other struct {
	Number int `json:"number"`
	// Entries are those that both touch, as "Tag:name".
	Entries []string `json:"entries"`
	Hosts
}

// State is the verdict in one word.
type State string

const (
	// Clean means that no host changes.
	Clean State = "clean"
	// Changed means that hosts change and all of them can be built.
	Changed State = "changed"
	// Failed means that hosts no longer build, or new failures came.
	Failed State = "failed"
	// Invalid means that the specification itself has new errors.
	Invalid State = "invalid"
	// Unapproved means that assertions do not hold, and nobody has approved that.
	Unapproved State = "unapproved"
	// Conflict means that head does not merge into base.
	Conflict State = "conflict"
	// Unmergeable means that this program cannot make the merge itself and the
	// forge has not made it.
	Unmergeable State = "unmergeable"
	// Untrusted means that head comes from a stranger: it was read and not built,
	// because templates are programs and see facts of hosts.
	Untrusted State = "untrusted"
)

// Verdict is what the required check says.
type Verdict struct {
	State State `json:"state"`
	// OK tells whether the check succeeds.
	OK    bool   `json:"ok"`
	Title string `json:"title"`
}

// Report is what a change does to a fleet. Make it with New; it is read-only
// afterwards.
type Report struct {
	Meta    Meta    `json:"meta"`
	Verdict Verdict `json:"verdict"`
	// Hosts are exactly the hosts whose configuration differs, sorted by bytes:
	// an entry, a structure or a failure differs, or the host comes or goes.
	Hosts  []string `json:"hosts"`
	Totals Totals   `json:"totals"`
	Impact []Impact `json:"impact"`
	// Errors are causes that are new in head; Known those that base has too.
	Errors []Cause `json:"errors"`
	Known  []Cause `json:"known_errors,omitempty"`
	// Problems are errors of the specification itself that are new in head,
	// Files the paths that conflict.
	Problems []*problem.Problem `json:"problems,omitempty"`
	Files    []string           `json:"conflicts,omitempty"`
	// Findings are assertions that do not hold and did in base.
	Findings []Finding `json:"findings,omitempty"`
	// Held are hosts that keep their last good configuration because of Errors.
	Held *Hosts `json:"held,omitempty"`
	// Added and Removed are hosts that come and go.
	Added   *Hosts   `json:"hosts_added,omitempty"`
	Removed *Hosts   `json:"hosts_removed,omitempty"`
	Changes []Change `json:"changes"`
	// Digest covers the literal changes, nothing of it masked, but keyed, so
	// that no secret can be guessed from it.
	Digest string `json:"digest"`

	set *Set
}

// Set returns the reviewed changes, to be stored beside the review. It is nil
// for reports that compared nothing.
func (r *Report) Set() *Set { return r.set }

// Totals count hosts.
type Totals struct {
	// Hosts are in head.
	Hosts int `json:"hosts"`
	// Changed hosts would get something else; Failed ones would not.
	Changed int `json:"changed"`
	Failed  int `json:"failed"`
	// Unaffected hosts have equal configurations on both sides.
	Unaffected int `json:"unaffected"`
	// Equivalent hosts differ in the order of entries or in the words of an old
	// failure only, which changes nothing on the host.
	Equivalent int `json:"equivalent,omitempty"`
	Added      int `json:"added,omitempty"`
	Removed    int `json:"removed,omitempty"`
	// NoFacts hosts have not answered their probes, so what is shown for them
	// was bound without facts.
	NoFacts int `json:"no_facts,omitempty"`
	// OldFacts hosts are affected and answered more than a week ago.
	OldFacts int `json:"old_facts,omitempty"`
	// Unseen hosts are affected and have never fetched anything.
	Unseen int `json:"unseen,omitempty"`
	// Drifted hosts are affected and said that an entry which changes is not as it
	// should be already.
	Drifted int `json:"drifted,omitempty"`
}

// Hosts is a set of hosts. In JSON it is a list of names beside its label.
type Hosts struct {
	Names []string `json:"hosts"`
	// Label names them in one line: "web[001-240]", "group web except web017".
	Label string `json:"label"`
}

// Len counts the hosts.
func (h Hosts) Len() int { return len(h.Names) }

func hostsOf(s hostset.Set) Hosts { return Hosts{s.Names, s.Label} }

// Impact is one thing that will happen, over all changes.
type Impact struct {
	// Kind is stable, such as "package-removed".
	Kind string `json:"kind"`
	// Subjects are the names of the entries, sorted.
	Subjects []string `json:"subjects,omitempty"`
	Hosts
}

// Cause is one reason why entries or hosts cannot be built.
type Cause struct {
	Problem *problem.Problem `json:"problem"`
	// Entries are the entries that it hits, as "Tag:name"; none where the host
	// itself is refused.
	Entries []string `json:"entries,omitempty"`
	Hosts
}

// Finding is an assertion that does not hold, or that the change breaks.
type Finding struct {
	Problem *problem.Problem `json:"problem"`
	// Assertion is its name.
	Assertion string `json:"assertion"`
	// Hash stands for all that the finding says; an approval names it.
	Hash string `json:"hash"`
	// Approvals is how many people have to approve it, ApprovedBy who has.
	Approvals  int      `json:"approvals"`
	ApprovedBy []string `json:"approved_by,omitempty"`
	Hosts
	// Violations are its parts, at most 200; Omitted counts the others.
	Violations []Violation `json:"violations,omitempty"`
	Omitted    int         `json:"violations_omitted,omitempty"`

	set *Set
}

// Violation is one thing that is not as asserted.
type Violation struct {
	// ID stands for what is said, without the hosts.
	ID    string `json:"id"`
	Entry string `json:"entry"`
	Says  string `json:"says"`
	Hosts
}

// Kind says what happened to an entry.
type Kind string

// Kinds of a Change.
const (
	EntryAdded    Kind = "added"
	EntryRemoved  Kind = "removed"
	EntryModified Kind = "modified"
	EntryMoved    Kind = "moved"
	// EntryFailed bound in base, or is new, and does not bind in head.
	EntryFailed Kind = "failed"
	// EntryFixed did not bind in base and does in head.
	EntryFixed Kind = "fixed"
)

// Severity orders changes; the smallest comes first.
type Severity int

// Severities, the gravest first.
const (
	Failing Severity = iota
	Removal
	Sensitive
	Reboot
	Restart
	Reload
	Content
	Metadata
	Order
)

// Change is what happens to one entry, wherever it happens.
type Change struct {
	Entry    config.Key `json:"entry"`
	Kind     Kind       `json:"kind"`
	Severity Severity   `json:"severity"`
	Hosts
	// Secret means that nothing but a fingerprint may be shown.
	Secret bool `json:"secret,omitempty"`
	// Removal says what goes away, as the Kind of an Impact does.
	Removal string `json:"removal,omitempty"`
	// Effects are what follows on the host: "restart ntpd".
	Effects []string `json:"effects,omitempty"`
	// Drifted are the hosts that said that it is not as it should be already, Extra
	// those that said that they have something of its name which nobody gave them.
	Drifted *Hosts  `json:"drifted,omitempty"`
	Extra   []Extra `json:"extra,omitempty"`
	// From is where it comes from in the specification.
	From     config.Source `json:"from"`
	Variants []Variant     `json:"variants"`
}

// Extra is what hosts have and nobody gave them.
type Extra struct {
	// Tag is what it is, such as Service.
	Tag string `json:"tag"`
	Hosts
}

// Swap is a word that takes the place of another.
type Swap struct {
	Old string `json:"old"`
	New string `json:"new"`
}

// Variant is one way in which an entry changes.
type Variant struct {
	Hosts
	// Masked means that each host's own name or address is shown as ‹host› or
	// ‹ip›; Context that unchanged lines differ between the hosts.
	Masked bool `json:"masked,omitempty"`
	// Like says that it is the first variant with these words changed.
	Like    []Swap       `json:"like,omitempty"`
	Context bool         `json:"context_differs,omitempty"`
	Attrs   []AttrChange `json:"attributes,omitempty"`
	Hunks   []Hunk       `json:"hunks,omitempty"`
	// Notes say what cannot be shown line by line.
	Notes []string `json:"notes,omitempty"`
	// Secrets are pairs of fingerprints, "" for none; at most a few.
	Secrets []Fingerprints `json:"secrets,omitempty"`
	// Values counts the different pairs.
	Values int `json:"values,omitempty"`
}

// Fingerprints stand for the secret values of an entry.
type Fingerprints struct {
	Old string `json:"old,omitempty"`
	New string `json:"new,omitempty"`
}

// AttrChange is one attribute of an entry; nil is absent.
type AttrChange struct {
	Name string  `json:"name"`
	Old  *string `json:"old"`
	New  *string `json:"new"`
}

// Hunk is a run of changed lines with their context.
type Hunk struct {
	Header string `json:"header"`
	Lines  []Line `json:"lines"`
}

// Line is one line of a Hunk.
type Line struct {
	// Op is "+", "-" or " ".
	Op   string `json:"op"`
	Text string `json:"text"`
	// Open means that the text ends here without a newline.
	Open bool `json:"no_newline,omitempty"`
}

func hunksOf(in []textdiff.Hunk) []Hunk {
	out := make([]Hunk, len(in))
	for i, h := range in {
		out[i] = Hunk{Header: h.Header(), Lines: make([]Line, len(h.Lines))}
		for j, l := range h.Lines {
			out[i].Lines[j] = Line{string(rune(l.Op)), l.Text, l.Open}
		}
	}
	return out
}
