package consent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"chatops/internal/chatops"
)

// The labels begin what is hashed, so that a commitment is never a hash. A
// change of the definitions gets new labels.
const (
	commitmentLabel = "chatops audit commitment 1"
	hashLabel       = "chatops audit hash 1"
	saltSize        = 32
)

// Genesis is what the first row is linked to: the text "sealed:" and the highest
// id of the rows that were there before the chain, so that no later row can be
// passed off as one of them.
func Genesis(sealed int64) []byte { return fmt.Appendf(nil, "sealed:%d", sealed) }

// NewSalt returns the random salt of one row.
func NewSalt() []byte {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// Commitment binds a row to its personal data without telling it: SHA-256 over
// the label, the salt and the data. Each part is preceded by its length in four
// bytes, most significant first, so that nothing can be moved from one part to
// the next.
func Commitment(e *chatops.AuditEntry) []byte {
	b := lengthPrefixed(nil, commitmentLabel, string(e.Salt), e.Email, e.IPAddress, e.UserAgent, e.Reason, e.Notes)
	sum := sha256.Sum256(b)
	return sum[:]
}

// Hash links a row to its predecessor, whose hash is previous (Genesis for the
// first row): SHA-256 over the label, previous, the number, conversation, lead
// and time (microseconds since 1970), eight bytes each, most significant first,
// the action and the commitment. Texts are preceded by their lengths.
func Hash(previous []byte, e *chatops.AuditEntry) []byte {
	b := lengthPrefixed(nil, hashLabel, string(previous))
	for _, n := range []int64{e.Number, e.ConversationID, e.LeadID, e.At.UnixMicro()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // two's complement is meant
	}
	b = lengthPrefixed(b, string(e.Action), string(e.Commitment))
	sum := sha256.Sum256(b)
	return sum[:]
}

// Append makes e the next row after head: it fills in number, salt, commitment
// and hash, and moves head on.
func Append(head *chatops.AuditHead, e *chatops.AuditEntry) {
	e.Number, e.Salt = head.Number+1, NewSalt()
	e.Commitment = Commitment(e)
	e.Hash = Hash(head.Hash, e)
	head.Number, head.Hash = e.Number, e.Hash
}

// lengthPrefixed appends texts, each after its length.
func lengthPrefixed(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(t))) //nolint:gosec // fields of the audit log are bounded
		b = append(b, t...)
	}
	return b
}
