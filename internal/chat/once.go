package chat

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"chatops/internal/chatops"
)

const (
	// onceLease is how long a request may run before a repeated one takes its
	// key over; longer than the server lets a request live.
	onceLease = 90 * time.Second
	// onceKeep is how long a repeated request is recognised.
	onceKeep = 24 * time.Hour
	// abandonTimeout bounds giving a key back when the request has failed.
	abandonTimeout = 2 * time.Second
)

var errNoOnce = chatops.Errorf(chatops.CodeInvalid, "Idempotency-Key is not supported here: leave it out")

// once runs do for the holder of a key. A repeated request gets the reply that
// is kept instead and does nothing. The effect that do stores must carry the
// key (chatops.OnceReply), so that both are stored or neither is; do returns what
// a repeated request is to get. The database decides whose request a key is; the
// cache only spares it the question when the answer cannot change any more.
func (s *Service) once(ctx context.Context, key *chatops.OnceKey, do func() (*chatops.KeptReply, error)) (*chatops.KeptReply, error) {
	if s.opts.Once == nil {
		return nil, errNoOnce
	}
	if kept := s.cachedReply(ctx, key); kept != nil {
		return kept, nil
	}
	kept, err := s.opts.Once.BeginOnce(ctx, *key, onceLease)
	if err != nil || kept != nil {
		return kept, err
	}
	done, err := do()
	if err == nil {
		s.cacheReply(ctx, key, done)
		return nil, nil //nolint:nilnil // nothing was kept: do has answered
	}
	// The next request with the key need not wait for the lease. Where the effect
	// was stored after all, the claim is a reply by now and stays.
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	_ = s.opts.Once.AbandonOnce(leaving, *key) // the lease ends by itself
	return nil, err
}

// replyOnce answers a request that carries a key.
func (s *Service) replyOnce(ctx context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
	var reply *chatops.ChatReply
	kept, err := s.once(ctx, req.Once, func() (_ *chatops.KeptReply, err error) {
		if reply, err = s.answer(ctx, req); err != nil {
			return nil, err
		}
		text, err := json.Marshal(reply)
		if err != nil {
			return nil, nil //nolint:nilerr,nilnil // the turn is stored and answered; it is only not cached
		}
		return &chatops.KeptReply{Status: http.StatusOK, Reply: text, RecordID: reply.ConversationID}, nil
	})
	if err != nil || kept == nil {
		return reply, err
	}
	reply = &chatops.ChatReply{}
	if err := json.Unmarshal(kept.Reply, reply); err != nil {
		return nil, chatops.WrapError(chatops.CodeInternal, err, "kept reply cannot be read")
	}
	reply.ConversationID = kept.RecordID // not known yet when the reply was kept
	reply.Replayed = true
	return reply, nil
}

// keep is what a turn stores of its reply for repeated requests.
func keep(key *chatops.OnceKey, reply *chatops.ChatReply) (*chatops.OnceReply, error) {
	if key == nil {
		return nil, nil //nolint:nilnil // the request has no key
	}
	b, err := json.Marshal(reply)
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInternal, err, "reply cannot be kept")
	}
	return &chatops.OnceReply{OnceKey: *key, Status: http.StatusOK, Reply: b, Keep: onceKeep}, nil
}
