package chat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chat/llm"
)

// Cache keeps values for a while, for every replica: package cache. A value may
// be gone at any time, and may have been put there by whoever can write to
// Redis.
type Cache interface {
	// Get returns the value of a key, which must not be changed.
	Get(ctx context.Context, key string) ([]byte, bool)
	// Set keeps a copy of a value for so long, if it can.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration)
}

// answerKeep is how long an answer of the language model is given again.
const answerKeep = 6 * time.Hour

// cacheKey stands for everything that an answer depends on: endpoint, model, this
// program's version, and the whole prompt (rules, entries, masked messages, what
// is known of the flat), without its random words. So an answer is given again
// only where the model would have been asked the very same.
func (l *LLM) cacheKey(p *prompt) string {
	fixed := strings.NewReplacer(p.marker, "MARKER", p.canary, "CANARY")
	h := sha256.New()
	add := func(part string) {
		_, _ = h.Write([]byte(strconv.Itoa(len(part)) + ":" + part)) // a hash takes everything
	}
	add(l.opts.BaseURL)
	add(l.opts.Model)
	add(l.opts.Version)
	add(string(p.lang))
	for _, m := range p.messages {
		add(string(m.Role))
		add(fixed.Replace(m.Content))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// remembered returns an answer that was given to the same prompt before. It is
// checked like one that has just come: what Redis holds is trusted no more than
// what an endpoint says.
func (l *LLM) remembered(ctx context.Context, key string, p *prompt) (string, bool) {
	text, ok := l.opts.Cache.Get(ctx, key)
	if !ok {
		return "", false
	}
	reply, reason := l.check(p, &llm.Completion{Text: string(text), Complete: true})
	return reply, reason == ""
}
