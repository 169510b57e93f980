// SPDX-License-Identifier: Apache-2.0

package py

import "go.starlark.net/starlark"

// expr is an expression.
type expr interface {
	eval(f *frame) (starlark.Value, error)
	at() int // the line
}

// stmt is a statement.
type stmt interface {
	exec(f *frame) (signal, error)
}

// line is where a node is.
type line int

func (l line) at() int { return int(l) }

type (
	constant struct {
		line
		value starlark.Value
	}
	nameRef struct {
		line
		name string
	}
	attrRef struct {
		line
		x    expr
		name string
	}
	itemRef struct {
		line
		x, index expr
	}
	sliceRef struct {
		line
		lo, hi, step expr // nil where left out
	}
	call struct {
		line
		fn     expr
		args   []argument
		simple bool // only plain arguments
	}
	unary struct {
		line
		op string
		x  expr
	}
	binary struct {
		line
		op   string
		x, y expr
	}
	// logic is "and" or "or".
	logic struct {
		line
		and  bool
		x, y expr
	}
	// comparison is a chain: x op y op z.
	comparison struct {
		line
		first expr
		ops   []string
		rest  []expr
	}
	ternary struct {
		line
		cond, yes, no expr
	}
	listOf struct {
		line
		items []expr
	}
	tupleOf struct {
		line
		items []expr
	}
	setOf struct {
		line
		items []expr
	}
	dictOf struct {
		line
		keys, values []expr // a nil key spreads the value
	}
	// starred is *x in a display or on the left of an assignment.
	starred struct {
		line
		x expr
	}
	lambda struct {
		line
		def *function
	}
	comprehension struct {
		line
		kind    byte // '[', '{', ':' for a dictionary, '(' for a generator
		key     expr // of a dictionary
		value   expr
		clauses []clause
	}
	// joined is an f-string.
	joined struct {
		line
		parts []piece
	}
	backquoted struct {
		line
		x expr
	}
	walrus struct {
		line
		name string
		x    expr
	}
	yieldExpr struct {
		line
		x    expr
		from bool
	}
)

// argument of a call: plain, named, *spread or **spread.
type argument struct {
	name   string
	spread int
	x      expr
}

// clause is a "for" or an "if" of a comprehension.
type clause struct {
	target expr // nil for an if
	x      expr
}

// piece of an f-string: text, or an expression with conversion and format.
type piece struct {
	text   string
	x      expr
	conv   byte
	format expr
}

// function is what def and lambda describe.
type function struct {
	name      string
	params    []param
	body      []stmt
	result    expr // of a lambda
	locals    map[string]bool
	globals   map[string]bool
	nonlocals map[string]bool
	generator bool
	line      int
}

// param of a function: plain, *rest (1) or **rest (2).
type param struct {
	name   string
	deflt  expr
	spread int
	named  bool // only by name
	// unpack is a tuple of names, as 2.7 has it.
	unpack expr
}

type (
	exprStmt struct {
		x expr
	}
	assign struct {
		line
		targets []expr
		value   expr
	}
	augment struct {
		line
		target expr
		op     string
		value  expr
	}
	ifStmt struct {
		line
		cond      expr
		body, alt []stmt
	}
	whileStmt struct {
		line
		cond      expr
		body, alt []stmt
	}
	forStmt struct {
		line
		target, over expr
		body, alt    []stmt
	}
	tryStmt struct {
		line
		body     []stmt
		handlers []handler
		alt      []stmt
		final    []stmt
	}
	withStmt struct {
		line
		items []withItem
		body  []stmt
	}
	raiseStmt struct {
		line
		x, value expr
	}
	returnStmt struct {
		line
		x expr
	}
	// jump is break, continue or pass.
	jump struct {
		signal signal
	}
	defStmt struct {
		line
		def        *function
		decorators []expr
	}
	classStmt struct {
		line
		name       string
		bases      []expr
		body       []stmt
		decorators []expr
	}
	delStmt struct {
		line
		targets []expr
	}
	assertStmt struct {
		line
		cond, msg expr
	}
	importStmt struct {
		line
		module string
		as     string
	}
	fromStmt struct {
		line
		module string
		dots   int         // of a relative import
		names  [][2]string // nil: all
	}
	printStmt struct {
		items []expr
	}
	execStmt struct {
		line
		code, globals expr
	}
)

// handler is one except.
type handler struct {
	kind   expr // nil: any
	target expr
	body   []stmt
}

// withItem is one context of a with.
type withItem struct {
	x, target expr
}
