package chatops

import (
	"encoding/json"
	"errors"
)

// DecodeFacts reads facts as chat_conversations.context_data keeps them. A field
// of an unexpected type, as an older program may have written, is left out
// instead of spoiling the rest; "" holds none.
func DecodeFacts(stored string) (Facts, error) {
	var facts Facts
	if stored == "" {
		return facts, nil
	}
	err := json.Unmarshal([]byte(stored), &facts)
	var mismatch *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &mismatch) {
		return facts, WrapError(CodeInternal, err, "stored facts of a conversation cannot be read")
	}
	return facts, nil
}
