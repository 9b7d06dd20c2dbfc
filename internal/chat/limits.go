package chat

const maxMessageRunes = 4000
