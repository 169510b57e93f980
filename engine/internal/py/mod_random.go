// SPDX-License-Identifier: Apache-2.0

package py

import (
	"math/big"

	"go.starlark.net/starlark"
)

// random is the Mersenne Twister, so that what a repository seeds with a name
// stays what it was.
type random struct {
	state [624]uint32
	index int
}

func (r *random) seed(n uint32) {
	r.state[0] = n
	for i := 1; i < len(r.state); i++ {
		r.state[i] = 1812433253*(r.state[i-1]^r.state[i-1]>>30) + uint32(i)
	}
	r.index = len(r.state)
}

func (r *random) seedArray(key []uint32) {
	r.seed(19650218)
	n := len(r.state)
	i, j := 1, 0
	step := func() {
		if i++; i >= n {
			r.state[0] = r.state[n-1]
			i = 1
		}
	}
	for range max(n, len(key)) {
		r.state[i] = (r.state[i] ^ (r.state[i-1]^r.state[i-1]>>30)*1664525) + key[j] + uint32(j)
		step()
		if j++; j >= len(key) {
			j = 0
		}
	}
	for range n - 1 {
		r.state[i] = (r.state[i] ^ (r.state[i-1]^r.state[i-1]>>30)*1566083941) - uint32(i)
		step()
	}
	r.state[0] = 1 << 31
}

func (r *random) next() uint32 {
	n := len(r.state)
	if r.index >= n {
		for i := range n {
			y := r.state[i]&(1<<31) | r.state[(i+1)%n]&(1<<31-1)
			r.state[i] = r.state[(i+397)%n] ^ y>>1
			if y&1 != 0 {
				r.state[i] ^= 0x9908b0df
			}
		}
		r.index = 0
	}
	y := r.state[r.index]
	r.index++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (r *random) float() float64 {
	a, b := r.next()>>5, r.next()>>6
	return (float64(a)*67108864 + float64(b)) / 9007199254740992
}

// textHash is hash() of a text in 2.7.
func textHash(s string) uint64 {
	if s == "" {
		return 0
	}
	x := uint64(s[0]) << 7
	for i := range len(s) {
		x = 1000003*x ^ uint64(s[i])
	}
	return x ^ uint64(len(s))
}

// generator makes an endless sequence of numbers for a seed; without one, what is
// evaluated is the seed.
func generator(th *Thread, args starlark.Tuple, _ []starlark.Tuple) (Value, error) {
	n := new(big.Int).SetUint64(textHash(th.world.Seed()))
	if len(args) > 0 && args[0] != starlark.None {
		switch x := numeric(args[0]).(type) {
		case starlark.Int:
			n.Abs(x.BigInt())
		case starlark.Float:
			n.Abs(starlark.MakeInt64(int64(x)).BigInt())
		default:
			s, err := th.Str(args[0])
			if err != nil {
				return nil, err
			}
			n.SetUint64(textHash(s))
		}
	}
	var key []uint32
	for mask := big.NewInt(1<<32 - 1); n.Sign() > 0; n.Rsh(n, 32) {
		key = append(key, uint32(new(big.Int).And(n, mask).Uint64()))
	}
	if key == nil {
		key = []uint32{0}
	}
	r := &random{}
	r.seedArray(key)
	return &Iter{Next: func() (Value, bool, error) { return starlark.Float(r.float()), true, th.Step(1) }}, nil
}
