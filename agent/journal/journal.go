// SPDX-License-Identifier: Apache-2.0

// Package journal keeps how a host was before a run changed it, so that a run can
// be taken back: files by content, with owner, mode and extended attributes, and
// what drivers tell of things that are no files.
//
// What was is written and durable before the change is made. The package must not
// know what an entry is, nor why something is changed.
package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bindery/bindery/agent/driver"
	"github.com/bindery/bindery/agent/state"
)

// Limits bound what is kept. Of more than is allowed the oldest runs go, whole; the
// newest always stays.
type Limits struct {
	// Runs is how many runs are kept. Zero: 50.
	Runs int
	// Age is how long a run is kept. Zero: 30 days.
	Age time.Duration
	// Bytes is what all runs may hold together. Zero: 1 GiB.
	Bytes int64
	// RunBytes is what one run may hold; a change that needs more is not made.
	// Zero: 256 MiB.
	RunBytes int64
}

func (l Limits) complete() (Limits, error) {
	if l.Runs < 0 || l.Age < 0 || l.Bytes < 0 || l.RunBytes < 0 {
		return l, errors.New("journal: negative limit")
	}
	if l.Runs == 0 {
		l.Runs = 50
	}
	if l.Age == 0 {
		l.Age = 30 * 24 * time.Hour
	}
	if l.Bytes == 0 {
		l.Bytes = 1 << 30
	}
	if l.RunBytes == 0 {
		l.RunBytes = 256 << 20
	}
	return l, nil
}

// MaxFile bounds one file that is kept.
const MaxFile = 64 << 20

// maxRecord bounds what is written of one change: a tree may be large.
const maxRecord = 16 << 20

// Errors that callers branch on.
var (
	// ErrFull is a change that is not made because what was there does not fit.
	ErrFull = errors.New("the journal cannot keep what is there")
	// ErrNoRun is a run that is not in the journal, or not any more.
	ErrNoRun = errors.New("the journal has no such run")
)

// Head says what a run is.
type Head struct {
	ID int64 `json:"id"`
	// Started is when it made its first change.
	Started time.Time `json:"started"`
	// Sequence, Commit and Digest name what was applied.
	Sequence int64  `json:"sequence,omitempty"`
	Commit   string `json:"commit,omitempty"`
	Digest   string `json:"digest,omitempty"`
	// Undoes is the oldest run that this one takes back, 0 for a plain run. All
	// that came after that one are taken back with it.
	Undoes int64 `json:"undoes,omitempty"`
}

// End says how a run ended. A run that was killed has none until the next one.
type End struct {
	Finished time.Time `json:"finished"`
	// After tells how things stood that are no files, and Steps how files stood
	// that tools changed.
	After []driver.Standing `json:"after,omitempty"`
	Steps []Step            `json:"steps,omitempty"`
	// Killed tells that the run was ended by the one after it.
	Killed bool `json:"killed,omitempty"`
}

// Summary is one run in a list.
type Summary struct {
	Head
	End *End `json:"end,omitempty"`
	// Bytes is what the journal holds of it, Changes how many changes it tells of.
	Bytes   int64 `json:"bytes"`
	Changes int   `json:"changes"`
	// UndoneBy is the run that took this one back, 0 for none.
	UndoneBy int64 `json:"undone_by,omitempty"`
}

// Config says where the journal is.
type Config struct {
	State *state.Dir
	// Now is the host's clock.
	Now    func() time.Time
	Limits Limits
}

// Journal is all runs that are kept. It is not safe for concurrent use; who writes
// holds the lock of the state.
type Journal struct {
	c Config
}

// New makes a journal of what a state directory has.
func New(c Config) (*Journal, error) {
	if c.State == nil || c.Now == nil {
		return nil, errors.New("journal: state and clock are needed")
	}
	var err error
	if c.Limits, err = c.Limits.complete(); err != nil {
		return nil, err
	}
	return &Journal{c: c}, nil
}

// Where things are below the state directory.
const (
	dir      = "journal"
	fileHead = "head.json"
	fileEnd  = "end.json"
	contents = "content-"
)

func runDir(id int64) string { return fmt.Sprintf("%s/%08d", dir, id) }

// ids lists the runs, oldest first.
func (j *Journal) ids() ([]int64, error) {
	names, err := j.c.State.List(dir)
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, name := range names {
		if id, err := strconv.ParseInt(name, 10, 64); err == nil && id > 0 {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Runs lists what is kept, oldest first.
func (j *Journal) Runs() ([]Summary, error) {
	ids, err := j.ids()
	if err != nil {
		return nil, err
	}
	out := make([]Summary, 0, len(ids))
	for _, id := range ids {
		s, err := j.summary(id)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	for i := range out {
		// A run that was not finished took nothing back yet.
		if out[i].Undoes == 0 || out[i].End == nil || out[i].End.Killed {
			continue
		}
		for k := range out[:i] {
			if out[k].ID >= out[i].Undoes {
				out[k].UndoneBy = out[i].ID
			}
		}
	}
	return out, nil
}

func (j *Journal) summary(id int64) (Summary, error) {
	s, err := j.ended(id)
	if err != nil {
		return s, err
	}
	sizes, err := j.c.State.Sizes(runDir(id))
	if err != nil {
		return s, err
	}
	for name, n := range sizes {
		s.Bytes += n
		if isRecord(name) {
			s.Changes++
		}
	}
	return s, nil
}

// ended tells what a run is and how it ended, and not what the journal holds of it,
// which takes a look at every file.
func (j *Journal) ended(id int64) (Summary, error) {
	s := Summary{Head: Head{ID: id}}
	if _, err := j.c.State.Load(runDir(id)+"/"+fileHead, &s.Head); err != nil {
		return s, err
	}
	s.ID = id
	var e End
	found, err := j.c.State.Load(runDir(id)+"/"+fileEnd, &e)
	if err == nil && found {
		s.End = &e
	}
	return s, err
}

func isRecord(name string) bool {
	base, ok := strings.CutSuffix(name, ".json")
	return ok && len(base) == 6 && strings.Trim(base, "0123456789") == ""
}

// Last is the newest run that is no undo and was not taken back.
func (j *Journal) Last() (int64, error) {
	runs, err := j.Runs()
	if err != nil {
		return 0, err
	}
	for _, r := range slices.Backward(runs) {
		if r.Undoes == 0 && r.UndoneBy == 0 && r.Changes > 0 {
			return r.ID, nil
		}
	}
	return 0, fmt.Errorf("%w: there is nothing to take back", ErrNoRun)
}

// Newest is the highest number of a run that is kept, 0 for none.
func (j *Journal) Newest() (int64, error) {
	ids, err := j.ids()
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[len(ids)-1], nil
}

// Begin starts a run. Nothing is written before it changes something. It gets the
// number that the head has, or the next that is free where that is taken.
func (j *Journal) Begin(h Head) *Run {
	r := &Run{journal: j, head: h, number: h.ID, sums: map[string]bool{}}
	r.head.ID = 0
	return r
}

// open makes the directory of a run, and room for it.
func (j *Journal) open(h *Head, number int64) error {
	newest, err := j.Newest()
	if err != nil {
		return err
	}
	h.ID = max(number, newest+1)
	h.Started = j.c.Now().UTC()
	if err := j.trim(h.Undoes); err != nil {
		return err
	}
	return j.c.State.Save(runDir(h.ID)+"/"+fileHead, h)
}

// trim drops the oldest runs, but none from keep on, and never the newest.
func (j *Journal) trim(keep int64) error {
	runs, err := j.Runs()
	if err != nil {
		return err
	}
	var total int64
	for _, r := range runs {
		total += r.Bytes
	}
	for i, r := range runs {
		old := !r.Started.IsZero() && j.c.Now().Sub(r.Started) > j.c.Limits.Age
		if i == len(runs)-1 || keep > 0 && r.ID >= keep || !old && len(runs)-i <= j.c.Limits.Runs && total <= j.c.Limits.Bytes {
			return nil
		}
		if err := j.c.State.Remove(runDir(r.ID)); err != nil {
			return err
		}
		total -= r.Bytes
	}
	return nil
}

// Shed drops the oldest run, if nobody needs it to take back run keep, and tells whether
// there was one: on a full disk that is what can be spared.
func (j *Journal) Shed(keep int64) (bool, error) {
	ids, err := j.ids()
	if err != nil || len(ids) == 0 || ids[0] >= keep {
		return false, err
	}
	return true, j.c.State.Remove(runDir(ids[0]))
}

// records reads what was written of one run, in order, and tells how many are lost: the
// disk has torn them, or they are gone. One that is torn at the end of a run that was
// killed is none: it was never followed by its change.
func (j *Journal) records(id int64) (out []Record, lost int, err error) {
	names, err := j.c.State.List(runDir(id))
	if err != nil {
		return nil, 0, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isRecord(name) })
	for i, name := range names {
		var r Record
		whole, err := j.c.State.Load(path.Join(runDir(id), name), &r)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case whole:
			out = append(out, r)
		case i < len(names)-1:
			lost++
		default:
			s, err := j.ended(id)
			if err != nil {
				return nil, 0, err
			}
			if s.End != nil && !s.End.Killed {
				lost++
			}
		}
	}
	if n := len(names); n > 0 {
		// They are numbered from 0 on.
		last, err := strconv.Atoi(strings.TrimSuffix(names[n-1], ".json"))
		if err != nil {
			return nil, 0, fmt.Errorf("read journal: %w", err)
		}
		lost += last + 1 - n
	}
	return out, lost, nil
}

// content reads a kept file and checks that it is what it was.
func (j *Journal) content(ids []int64, sum string) ([]byte, error) {
	if len(sum) != 2*sha256.Size || strings.Trim(sum, "0123456789abcdef") != "" {
		return nil, errors.New("the journal is damaged: not the name of a content")
	}
	for _, id := range ids {
		data, err := j.c.State.Read(runDir(id)+"/"+contents+sum, MaxFile)
		if err != nil {
			return nil, err
		}
		if data != nil && digest(data) == sum {
			return data, nil
		}
	}
	return nil, errors.New("the journal is damaged: a content that it kept is not there")
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
