// SPDX-License-Identifier: Apache-2.0

// Command bindery-agent makes a host what its signed release says. It holds
// flags, output and exit codes; what it does is in package agent.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // windows and schedules name time zones, which small hosts do not have
)

// version is set by the linker.
var version = "devel"

// oneAtATime is how many of a host's processors an agent uses: its work comes one thing
// after the other, and threads that look for more of it cost more than they bring.
const oneAtATime = 1

// gcPercent lets a run of an ordinary host end before the collector starts, which
// is a quarter of its CPU time. The memory goes back when the run is over.
const gcPercent = 200

func main() { os.Exit(start(defaultConfig)) }

// start does what the command line says, by the settings in a file unless that names
// another one.
func start(settings string) int {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(oneAtATime)
	}
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal lets what is at work come to its end, another one is not caught.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Settings: settings})
}
