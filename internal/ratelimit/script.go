package ratelimit

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
)

//go:embed log.lua
var logScript string

// newScript is made once for each client: it remembers its hash only.
func newScript() *redis.Script { return redis.NewScript(logScript) }

// outcome is what Redis says of one event.
type outcome struct {
	allowed     bool
	check, rule int // that decided
	remaining   int
	reset       time.Duration
}

// decision writes an outcome as a Decision.
func (o outcome) decision(asks []ask) Decision {
	a := &asks[o.check]
	d := Decision{
		Allowed: o.allowed, Limit: a.named.name, Rule: a.value.limit[o.rule],
		Remaining: o.remaining, Reset: o.reset,
	}
	if !o.allowed {
		d.RetryAfter = o.reset
	}
	return d
}

// call is a call of the script for some events.
type call struct {
	keys   []string
	plan   []byte
	values []*value
	checks []int // of each event
}

// add puts an event into a call.
func (c *call) add(asks []ask, keys []string) {
	c.keys = append(c.keys, keys...)
	c.checks = append(c.checks, len(asks))
	c.plan = append(c.plan, byte(len(asks))) //nolint:gosec // maxChecks
	for i := range asks {
		n := slices.Index(c.values, asks[i].value)
		if n < 0 {
			n = len(c.values)
			c.values = append(c.values, asks[i].value)
		}
		c.plan = append(c.plan, byte(n+1)) //nolint:gosec // see full
	}
}

// full reports whether the numbers of limits may run out with one event more.
func (c *call) full() bool { return len(c.values) > 255-maxChecks }

func (c *call) args() []any {
	args := make([]any, 0, 1+len(c.values))
	args = append(args, c.plan)
	for _, v := range c.values {
		args = append(args, v.forScript())
	}
	return args
}

// forScript writes a value as the script reads it.
func (v *value) forScript() []byte {
	text := strconv.AppendInt(make([]byte, 0, 64), v.longest*tick.Milliseconds(), 10)
	text = strconv.AppendInt(append(text, ' '), int64(v.depth), 10)
	for _, r := range v.limit {
		text = strconv.AppendInt(append(text, ' '), int64(r.Count), 10)
		text = strconv.AppendInt(append(text, ' '), r.Window.Milliseconds(), 10)
	}
	return text
}

const answerSize = 11

// read takes the script's answer apart. An answer that is no answer, such as that
// of another program that holds the address now, is an error.
func (c *call) read(reply any, err error) ([]outcome, error) {
	if err != nil {
		return nil, err
	}
	text, ok := reply.(string)
	if !ok || len(text) != len(c.checks)*answerSize {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "the answer is not the script's")
	}
	outcomes := make([]outcome, len(c.checks))
	for i := range outcomes {
		b := []byte(text[i*answerSize : (i+1)*answerSize])
		by := int(binary.BigEndian.Uint16(b[1:]))
		o := outcome{
			allowed: b[0] == 1, check: by / maxRules, rule: by % maxRules,
			remaining: int(binary.BigEndian.Uint32(b[3:])),
			reset:     time.Duration(binary.BigEndian.Uint32(b[7:])) * time.Millisecond,
		}
		if o.check >= c.checks[i] {
			return nil, chatops.Errorf(chatops.CodeUnavailable, "the answer names a check that was not asked")
		}
		outcomes[i] = o
	}
	return outcomes, nil
}

// run calls the script, and sends its text where the server does not know it.
func (c *call) run(ctx context.Context, client redis.UniversalClient, script *redis.Script) ([]outcome, error) {
	args := c.args()
	reply, err := script.EvalSha(ctx, client, c.keys, args...).Result()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		reply, err = script.Eval(ctx, client, c.keys, args...).Result()
	}
	return c.read(reply, err)
}

// keyPrefix is that of every key in Redis.
const keyPrefix = "chatops:limit:"

// keyNames names keys in Redis. Clients appear as a hash.
type keyNames struct{ secret [sha256.Size]byte }

func newKeyNames(secret []byte) keyNames { return keyNames{sha256.Sum256(secret)} }

// name returns the name of an ask's log. What stands before the first space of
// the key is the hash tag, so that a Cluster keeps all logs of a client on one
// server.
func (k *keyNames) name(a *ask) string {
	client, rest, divided := strings.Cut(a.key, " ")
	var room [128]byte
	b := append(room[:0], keyPrefix...)
	b = append(b, '{')
	b = k.appendHash(b, client)
	b = append(b, '}', ':')
	b = append(b, a.named.name...)
	if divided {
		b = append(b, ':')
		b = k.appendHash(b, rest)
	}
	return string(b)
}

// appendHash appends 96 bits of the hash of a text under the secret.
func (k *keyNames) appendHash(b []byte, text string) []byte {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], k.secret[:]...), text...))
	return base64.RawURLEncoding.AppendEncode(b, sum[:12])
}
