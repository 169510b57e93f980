// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// wire passes bytes on between an agent and a controller, and counts them as they
// are on the connection: request lines, headers and all.
type wire struct {
	listener net.Listener
	to       string
	open     sync.WaitGroup
	counts   traffic
}

// traffic is what went over a wire.
type traffic struct{ requests, sent, received atomic.Int64 }

// newWire starts to pass bytes on to an address.
func newWire(to string) (*wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	w := &wire{listener: l, to: to}
	w.open.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			w.open.Go(func() { w.pass(from) })
		}
	})
	return w, nil
}

func (w *wire) address() string { return w.listener.Addr().String() }

// pass serves one connection until either side ends it.
func (w *wire) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer to.Close()
	read, write := io.Pipe()
	var both sync.WaitGroup
	both.Go(func() { w.requests(read) })
	both.Go(func() {
		n, _ := io.Copy(from, to)
		w.counts.received.Add(n)
		_ = from.Close()
	})
	n, _ := io.Copy(to, io.TeeReader(from, write))
	w.counts.sent.Add(n)
	_ = to.Close()
	_ = write.Close()
	both.Wait()
}

// requests counts them as an HTTP server reads them.
func (w *wire) requests(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			break
		}
		w.counts.requests.Add(1)
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			break
		}
	}
	_, _ = io.Copy(io.Discard, in) // the other end must never wait
}

// close ends every connection. It waits for all bytes to be counted.
func (w *wire) close() {
	_ = w.listener.Close()
	w.open.Wait()
}
