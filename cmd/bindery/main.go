// SPDX-License-Identifier: Apache-2.0

// Command bindery is the controller and the command line of Bindery. It holds
// flags, output and exit codes; what it does is in the packages that it calls.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// The image has no CA file; a machine's own roots still win.
	_ "golang.org/x/crypto/x509roots/fallback"

	"github.com/bindery/bindery/internal/heap"
)

// version is set by the linker.
var version = "devel"

// spare is what the collector may let pile up, in bytes: ten thousand hosts are to
// fit into 1.5 GB.
const spare = 300 << 20

func main() {
	heap.Bound(spare)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
