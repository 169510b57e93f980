// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/mattn/go-isatty"
)

// isTerminal tells whether a stream is a person's terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// bar shows how far long work is: on a terminal, and only once it took a second.
type bar struct {
	writer  progress.Writer
	tracker *progress.Tracker
	timer   *time.Timer
}

func newProgress(w io.Writer, what string, total int) *bar {
	if !isTerminal(w) {
		return &bar{}
	}
	pw := progress.NewWriter()
	pw.SetOutputWriter(w)
	pw.SetUpdateFrequency(200 * time.Millisecond)
	pw.SetAutoStop(false)
	b := &bar{writer: pw, tracker: &progress.Tracker{Message: what, Total: int64(total)}}
	pw.AppendTracker(b.tracker)
	b.timer = time.AfterFunc(time.Second, pw.Render)
	return b
}

func (b *bar) add(n int) {
	if b.tracker != nil {
		b.tracker.Increment(int64(n))
	}
}

func (b *bar) stop() {
	if b.writer == nil || b.timer.Stop() {
		return
	}
	b.tracker.MarkAsDone()
	b.writer.Stop()
	for b.writer.IsRenderInProgress() {
		time.Sleep(10 * time.Millisecond)
	}
}
