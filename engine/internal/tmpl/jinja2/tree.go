// SPDX-License-Identifier: Apache-2.0

package jinja2

import (
	"github.com/bindery/bindery/engine/internal/py"
)

// expr is an expression.
type expr interface {
	eval(r *renderer, s *scope) (py.Value, error)
}

type (
	constant struct{ v py.Value }
	nameRef  struct{ name string }
	attrRef  struct {
		x    expr
		name string
	}
	itemRef  struct{ x, index expr }
	sliceRef struct{ lo, hi, step expr } // nil where left out
	listOf   struct{ items []expr }
	tupleOf  struct{ items []expr }
	dictOf   struct{ keys, values []expr }
	unary    struct {
		op string
		x  expr
	}
	binary struct {
		op   string
		x, y expr
	}
	concat struct{ items []expr }
	logic  struct {
		and  bool
		x, y expr
	}
	not        struct{ x expr }
	comparison struct {
		first expr
		ops   []string
		rest  []expr
	}
	ternary struct{ cond, yes, no expr } // no may be nil
	call    struct {
		line int
		fn   expr
		args arguments
	}
	filter struct {
		line int
		name string
		x    expr // nil: what a block holds
		args arguments
	}
	test struct {
		line int
		name string
		x    expr
		args arguments
	}
)

// arguments of a call.
type arguments struct {
	plain      []expr
	named      []string
	values     []expr // of named
	list, dict expr   // *list, **dict
}

// node is a statement or text.
type node interface {
	render(r *renderer, s *scope) error
	at() int
}

// line is where a node is.
type line int

func (l line) at() int { return int(l) }

// target is what is assigned to: a name, an attribute of a namespace, or several.
type target struct {
	name  string
	attr  string
	items []target
}

type (
	textNode struct {
		line
		s string
	}
	output struct {
		line
		x expr
	}
	printNode struct {
		line
		items []expr
	}
	ifNode struct {
		line
		cond      expr
		body, alt []node
	}
	forNode struct {
		line
		target    target
		over      expr
		test      expr // nil: all
		recursive bool
		body, alt []node
	}
	setNode struct {
		line
		target target
		x      expr
	}
	setBlock struct {
		line
		target target
		filter expr // nil: none
		body   []node
	}
	withNode struct {
		line
		targets []target
		values  []expr
		body    []node
	}
	filterNode struct {
		line
		filter expr
		body   []node
	}
	autoescape struct {
		line
		on   expr
		body []node
	}
	macroNode struct {
		line
		macro *macro
	}
	callNode struct {
		line
		call  *call
		macro *macro
	}
	blockNode struct {
		line
		name             string
		scoped, required bool
		body             []node
	}
	extendsNode struct {
		line
		parent expr
	}
	includeNode struct {
		line
		name    expr
		missing bool // ignored
		context bool
	}
	importNode struct {
		line
		name    expr
		as      string
		names   [][2]string // of "from"
		context bool
	}
)

// macro is what {% macro %} and {% call %} define.
type macro struct {
	name     string
	params   []string
	defaults []expr // of the last params
	body     []node
	line     int
	// What its body asks for besides its parameters.
	caller, kwargs, varargs bool
}
