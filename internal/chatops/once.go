package chatops

import (
	"context"
	"time"
)

// OnceKey names a request that its client may repeat: the Idempotency-Key
// header (draft-ietf-httpapi-idempotency-key-header) with what it belongs to.
type OnceKey struct {
	Scope string // the operation and whose key it is, at most 200 bytes
	Key   string // SHA-256 of the client's key, hexadecimal
	Body  string // SHA-256 of the request's content, hexadecimal
	Owner string // random, made anew for every request: the fence of a claim
}

// OnceReply is the reply that a repeated request gets again. It is stored in
// the transaction of the effect it tells about.
type OnceReply struct {
	OnceKey
	Status int           // HTTP status
	Reply  []byte        // what the caller needs to answer again
	Keep   time.Duration // how long repeated requests are recognised
}

// KeptReply is the reply of an earlier request with the same key.
type KeptReply struct {
	Status int
	Reply  []byte
	// RecordID is the conversation or lead that the transaction wrote: its
	// number is not known yet when Reply is made.
	RecordID int64
}

// OnceStore makes repeated requests have one effect, on all replicas.
type OnceStore interface {
	// BeginOnce claims a key for its owner until the lease passes, and returns
	// nil; or it returns the reply that is kept for the key. CodeConflict: a
	// request with this key is running. CodeMismatch: the key was used with
	// another body. A key that has expired is as good as new.
	BeginOnce(ctx context.Context, k OnceKey, lease time.Duration) (*KeptReply, error)
	// AbandonOnce gives up a claim whose request had no effect. A claim that is
	// not held any more is left alone.
	AbandonOnce(ctx context.Context, k OnceKey) error
	// DeleteExpiredOnce removes up to limit keys that have expired and returns
	// how many it removed.
	DeleteExpiredOnce(ctx context.Context, limit int) (int, error)
}
