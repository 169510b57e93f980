// SPDX-License-Identifier: Apache-2.0

// Package webhooks is how we speak with forges: what comes in (an Event wakes
// the controller) and what goes out (Forge: pull requests, one comment, a
// status). A forge's own words stay in its package below. It must not know what
// is previewed or published, and it never takes a URL from a payload.
package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Event is a delivery that was verified. It only says where to look: refs and
// open pull requests are the truth.
type Event struct {
	// Delivery is the forge's id of it; a repeated delivery has the same.
	Delivery string
	Kind     Kind
	// Repo is "owner/name" as the payload says.
	Repo string
	// Ref and Commit are what a push moved, and where to.
	Ref, Commit string
	// Number and Action are a pull request's.
	Number int
	Action string
	// Repeated says that a delivery of this id came before.
	Repeated bool
}

// Kind is what an Event is about.
type Kind string

// The kinds that wake the controller. Others are answered and dropped.
const (
	Push        Kind = "push"
	PullRequest Kind = "pull_request"
	Comment     Kind = "comment"
	MergeGroup  Kind = "merge_group"
	Ping        Kind = "ping"
)

// Forge is what the controller needs of one repository at a forge. Errors are
// *Error, so that the caller knows whether to try again. Safe for concurrent use.
type Forge interface {
	// Pulls lists all open pull requests, by number.
	Pulls(ctx context.Context) ([]Pull, error)
	// Pull reads one, open or not.
	Pull(ctx context.Context, number int) (Pull, error)
	// Post makes the pull request's one comment say what p says.
	Post(ctx context.Context, p Post) (Posted, error)
	// SetStatus sets a commit's status; the same again is no call.
	SetStatus(ctx context.Context, commit string, s Status) error
}

// Pull is a pull request as the forge sees it. Title and names come from people.
type Pull struct {
	Number int
	Title  string
	URL    string
	Author string
	Open   bool
	Draft  bool
	// Fork says that the head is in another repository, whose pusher may not
	// write here.
	Fork bool
	// Head is the tip of what is proposed. Base is what the forge last compared
	// it with, which may be behind BaseRef's tip in the mirror.
	Head, Base string
	// BaseRef is the branch's full name, such as refs/heads/main.
	BaseRef string
	// HeadRef and MergeRef are where this repository offers the head and the
	// forge's own merge of it, such as refs/pull/7/head and refs/pull/7/merge.
	HeadRef, MergeRef string
	// Merged and MergeCommit say whether, and as which commit, it was merged.
	Merged      bool
	MergeCommit string
	Updated     time.Time
}

// Post is what the one comment of a pull request shall say.
type Post struct {
	Number int
	// Known is the id that Posted gave last time; 0 for none.
	Known int64
	// Marker is the comment's first line. App is filled in by the Forge.
	Marker Marker
	// Body is all below the marker.
	Body string
	// Plain gives a body without what differs each time: where nothing else does the
	// comment is left as it is. Nil: everything counts.
	Plain func(body string) string
	// OnlyEdit writes nothing where no comment exists yet.
	OnlyEdit bool
	// Anew deletes what we said and says it in a new comment: forges keep the old
	// texts of a comment that is edited.
	Anew bool
}

// Outcome is what Post did.
type Outcome string

// The outcomes.
const (
	Created    Outcome = "created"
	Edited     Outcome = "edited"
	Unchanged  Outcome = "unchanged"  // it said so already
	Superseded Outcome = "superseded" // it says something newer
	Absent     Outcome = "absent"     // OnlyEdit, and there is none
)

// Posted is where the comment is.
type Posted struct {
	ID      int64
	URL     string
	Outcome Outcome
}

// StatusContext is the name of our status and check at every forge.
const StatusContext = "bindery/preview"

// State is the state of a Status.
type State string

// The states.
const (
	Pending State = "pending"
	Success State = "success"
	Failure State = "failure" // the change is wrong
	Broken  State = "error"   // we could not tell
)

// Status is what a commit's status says.
type Status struct {
	State State
	// Description is one line; forges take 140 characters, the rest is cut.
	Description string
	// URL leads to more; it may be empty.
	URL string
	// Annotations are problems on lines, for forges that show them there; errors come
	// first. The same problems give the same list.
	Annotations []Annotation
	// Text is Markdown that the comment had no room for, at most 65,535 bytes, for
	// forges whose checks have details.
	Text string
}

// Annotation is a problem on a line of a file.
type Annotation struct {
	Path string
	Line int
	// Failure is an error; else it is a warning.
	Failure bool
	// Title is a short name of it, Message what is wrong.
	Title, Message string
}

// Reason says why a forge did not do what it was asked.
type Reason string

// The reasons.
const (
	Unreachable Reason = "unreachable"  // no answer, or one that was cut off
	RateLimited Reason = "rate limited" // ask later: Error.After
	Unavailable Reason = "unavailable"  // 500 and above
	Denied      Reason = "denied"       // 401, 403: the token may not
	Missing     Reason = "missing"      // 404, 410
	Invalid     Reason = "invalid"      // any other refusal
)

// Error is why a forge did not do what it was asked.
type Error struct {
	// Op is what was asked, such as "list pull requests".
	Op     string
	Reason Reason
	// After is how long the forge asks to be left alone; 0 where it does not say.
	After time.Duration
	Err   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.After > 0 {
		return fmt.Sprintf("%s: %s, again in %s: %v", e.Op, e.Reason, e.After.Round(time.Second), e.Err)
	}
	return fmt.Sprintf("%s: %s: %v", e.Op, e.Reason, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable says whether the same call may work later.
func (e *Error) Retryable() bool {
	return e.Reason == Unreachable || e.Reason == RateLimited || e.Reason == Unavailable
}

// IsMissing says whether err is a forge's word that the thing does not exist.
func IsMissing(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == Missing
}

// Reaction is how we show on somebody's comment what became of it.
type Reaction string

// The reactions. All forges have these.
const (
	Looking Reaction = "looking" // 👀
	Done    Reaction = "done"    // 👍
	Refused Reaction = "refused" // 👎
)

// Talk is what the controller needs to answer commands in comments. Forges that have
// pull requests have it. Safe for concurrent use.
type Talk interface {
	// Notes lists all comments of a pull request, oldest first.
	Notes(ctx context.Context, number int) ([]Note, error)
	// MayWrite asks whether the author of a comment may push to the repository now.
	MayWrite(ctx context.Context, n Note) (bool, error)
	// React adds a reaction to a comment; the same again changes nothing.
	React(ctx context.Context, number int, n Note, r Reaction) error
}

// Group is a merge of the queue that waits for its check.
type Group struct {
	// Ref and Commit are where it is.
	Ref, Commit string
	// Number is the pull request that it adds to those before it.
	Number int
}

// Queue is what the controller needs of a forge that merges by a queue.
type Queue interface {
	// Queued lists what waits to become a branch, such as refs/heads/main.
	Queued(ctx context.Context, branch string) ([]Group, error)
}
