package chat

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// replyKeep is how long a completed reply is given again without asking the
// database. Clients repeat a request within seconds or minutes, and what is
// deleted from the database is forgotten here soon after.
const replyKeep = 15 * time.Minute

// sealedReply is a chatops.KeptReply as it is encrypted.
type sealedReply struct {
	Status   int    `json:"status"`
	Reply    []byte `json:"reply,omitempty"`
	RecordID int64  `json:"record_id"`
}

// cachedReply returns the reply of a completed request with the same key and
// the same content. Nothing else can be found: a request with other content
// cannot open what it finds, and asks the database, which refuses it.
func (s *Service) cachedReply(ctx context.Context, k *chatops.OnceKey) *chatops.KeptReply {
	if s.opts.Replies == nil {
		return nil
	}
	sealed, ok := s.opts.Replies.Get(ctx, onceName(k))
	if !ok {
		return nil
	}
	box, err := onceSeal(k)
	if err != nil || len(sealed) < box.NonceSize() {
		return nil
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], nil)
	if err != nil {
		return nil
	}
	var r sealedReply
	if json.Unmarshal(plain, &r) != nil {
		return nil
	}
	return &chatops.KeptReply{Status: r.Status, Reply: r.Reply, RecordID: r.RecordID}
}

// cacheReply keeps the reply of a request that is completed: its effect and its
// reply are committed.
func (s *Service) cacheReply(ctx context.Context, k *chatops.OnceKey, kept *chatops.KeptReply) {
	if s.opts.Replies == nil || kept == nil {
		return
	}
	plain, err := json.Marshal(sealedReply{Status: kept.Status, Reply: kept.Reply, RecordID: kept.RecordID})
	if err != nil {
		return
	}
	box, err := onceSeal(k)
	if err != nil {
		return
	}
	nonce := make([]byte, box.NonceSize(), box.NonceSize()+len(plain)+box.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	s.opts.Replies.Set(ctx, onceName(k), box.Seal(nonce, nonce, plain, nil), replyKeep)
}

func onceName(k *chatops.OnceKey) string { return strconv.Itoa(len(k.Scope)) + ":" + k.Scope + k.Key }

// onceSeal encrypts replies, which hold personal data, under a key that is made
// of the client's own key and of the content of its request. Neither is in the
// cache, so only whoever repeats the request can read its reply there.
func onceSeal(k *chatops.OnceKey) (cipher.AEAD, error) {
	secret := sha256.Sum256([]byte("chatops kept reply\n" + onceName(k) + "\n" + k.Body))
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
