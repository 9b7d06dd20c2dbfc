package ratelimit

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// part is the checks of an event whose logs lie on one server.
type part struct {
	event  *event
	checks []int // of the event
	call   call
	cmd    *redis.Cmd
}

// sendSplit sends every event, or each part of it that may lie on a server of
// its own, as a call of the script, and all of them in one round trip to each
// server. A part that allows an event counts it even when another part refuses
// it: a Cluster cannot decide for two servers at once, and this errs on the
// strict side. Events of one client have one part.
func (s *shared) sendSplit(ctx context.Context, batch []*event) error {
	parts := make([]*part, 0, len(batch))
	for _, e := range batch {
		parts = appendParts(parts, e)
	}
	s.pipeline(ctx, parts, s.script.EvalSha)
	var unknown []*part
	for _, p := range parts {
		if redis.HasErrorPrefix(p.cmd.Err(), "NOSCRIPT") {
			unknown = append(unknown, p)
		}
	}
	if len(unknown) > 0 {
		s.pipeline(ctx, unknown, s.script.Eval)
	}
	return answerParts(parts)
}

// appendParts divides an event by the hash tags of its keys.
func appendParts(parts []*part, e *event) []*part {
	mine := len(parts)
	for i, key := range e.keys {
		// Asks are sorted by a secret hash: the same tags need not be neighbours.
		at := mine
		for at < len(parts) && hashTag(parts[at].call.keys[0]) != hashTag(key) {
			at++
		}
		if at == len(parts) {
			parts = append(parts, &part{event: e})
		}
		p := parts[at]
		p.checks = append(p.checks, i)
		p.call.keys = append(p.call.keys, key)
	}
	for _, p := range parts[mine:] {
		asks := make([]ask, len(p.checks))
		for i, n := range p.checks {
			asks[i] = e.asks[n]
		}
		keys := p.call.keys
		p.call = call{}
		p.call.add(asks, keys)
	}
	return parts
}

func hashTag(key string) string {
	tag, _, _ := strings.Cut(key[len(keyPrefix):], "}")
	return tag
}

type evalFunc func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

// pipeline runs the parts together. Each keeps its own error.
func (s *shared) pipeline(ctx context.Context, parts []*part, eval evalFunc) {
	pipe := s.client.Pipeline()
	for _, p := range parts {
		p.cmd = eval(ctx, pipe, p.call.keys, p.call.args()...)
	}
	_, _ = pipe.Exec(ctx)
}

// answerParts answers the events whose parts have all been decided, and returns
// the error of one that has not. The parts of an event stand together.
func answerParts(parts []*part) error {
	var failed error
	for len(parts) > 0 {
		n := 1
		for n < len(parts) && parts[n].event == parts[0].event {
			n++
		}
		if o, err := merge(parts[:n]); err != nil {
			failed = err
		} else {
			parts[0].event.answer(o)
		}
		parts = parts[n:]
	}
	return failed
}

// merge returns what the parts of an event say together: the longest refusal, or
// the tightest of the rules that allow it.
func merge(parts []*part) (outcome, error) {
	var all outcome
	for i, p := range parts {
		outcomes, err := p.call.read(p.cmd.Result())
		if err != nil {
			return outcome{}, err
		}
		o := outcomes[0]
		o.check = p.checks[o.check]
		switch {
		case i == 0, all.allowed && !o.allowed:
			all = o
		case all.allowed != o.allowed:
		case o.remaining < all.remaining, o.remaining == all.remaining && o.reset > all.reset:
			all = o
		}
	}
	return all, nil
}
