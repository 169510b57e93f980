// SPDX-License-Identifier: Apache-2.0

package machinetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"strconv"

	"github.com/stretchr/testify/require"
)

// Interface is the machine's end of the link to the host.
const Interface = "host0"

// Connect lays a link between the host and the machine, and gives both ends an
// address: a network of two that nobody else uses. It goes with the machine.
func (m *Machine) Connect() {
	m.Helper()
	for m.Address == "" {
		n := rand.IntN(1 << 14) // of 10.192.0.0/10 down to four addresses each
		a := net.IPv4(10, 213, byte(n>>6), byte(n<<2)+1).String()
		m.link = fmt.Sprintf("ve%d", n)
		if exec.Command("ip", "link", "show", m.link).Run() == nil {
			continue
		}
		m.Address, m.Own = a, net.IPv4(10, 213, byte(n>>6), byte(n<<2)+2).String()
	}
	m.lay()
	m.Cleanup(func() {
		// Cleanups run last in, first out: the machine is still there.
		_ = exec.Command("ip", "link", "del", m.link).Run()
	})
}

// lay makes the link, between the addresses that were chosen.
func (m *Machine) lay() {
	m.Helper()
	// The one to a machine that is gone goes a while after it.
	_ = exec.Command("ip", "link", "del", m.link).Run()
	run(m, "ip", "link", "add", m.link, "type", "veth", "peer", "name", Interface, "netns", strconv.Itoa(m.leader))
	run(m, "ip", "addr", "add", m.Address+"/30", "dev", m.link)
	run(m, "ip", "link", "set", m.link, "up")
	// By the host's own tool: a small machine has none.
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", m.Own + "/30", "dev", Interface}, {"link", "set", Interface, "up"}} {
		run(m, append([]string{"nsenter", "-t", strconv.Itoa(m.leader), "-n", "ip"}, args...)...)
	}
}

// Cut takes the link down at the host's end, as a broken switch does; Mend brings it
// back.
func (m *Machine) Cut() {
	m.Helper()
	require.NotEmpty(m, m.link)
	run(m, "ip", "link", "set", m.link, "down")
}

// Mend ends what Cut began.
func (m *Machine) Mend() {
	m.Helper()
	run(m, "ip", "link", "set", m.link, "up")
}
