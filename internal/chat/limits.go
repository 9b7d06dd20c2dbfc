package chat

// maxMessageRunes is the longest message that is answered, in characters after
// trimming.
const maxMessageRunes = 4000
