package llm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// chunk is an event of a stream, or a whole answer: the two differ in whether a
// choice holds a delta or a message.
type chunk struct {
	Choices []choice        `json:"choices"`
	Error   json.RawMessage `json:"error"`
}

type choice struct {
	Index        int     `json:"index"`
	Delta        content `json:"delta"`
	Message      content `json:"message"`
	FinishReason string  `json:"finish_reason"`
}

type content struct {
	Content string `json:"content"`
}

// finishStop is the finish_reason of an answer that the model ended itself.
const finishStop = "stop"

// collector gathers the text of an answer.
type collector struct {
	text   strings.Builder
	runes  int
	limit  int
	finish string // the first finish_reason
	done   bool   // the stream said that it ends
	full   bool   // more text than the limit came
}

// add takes one event or document.
func (c *collector) add(data []byte) error {
	var ch chunk
	if err := json.Unmarshal(data, &ch); err != nil {
		return garbage("the answer is not the JSON of a completion")
	}
	if len(ch.Error) > 0 && !bytes.Equal(ch.Error, []byte("null")) {
		return &Error{Kind: KindServer, Step: stepRead, Cause: "the endpoint reported an error within its answer"}
	}
	if ch.Choices == nil {
		return garbage("the answer holds no choices")
	}
	for i := range ch.Choices {
		if ch.Choices[i].Index != 0 {
			continue
		}
		c.write(ch.Choices[i].Delta.Content + ch.Choices[i].Message.Content)
		if c.finish == "" {
			c.finish = ch.Choices[i].FinishReason
		}
	}
	return nil
}

func (c *collector) write(s string) {
	n := utf8.RuneCountInString(s)
	if c.runes+n > c.limit {
		c.full = true
		s, n = firstRunes(s, c.limit-c.runes), c.limit-c.runes
	}
	c.text.WriteString(s)
	c.runes += n
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func (c *collector) completion() *Completion {
	return &Completion{
		Text: c.text.String(), TooLong: c.full,
		Complete: !c.full && (c.finish == finishStop || c.finish == ""),
	}
}

// readStream reads server-sent events (WHATWG HTML, section 9.2.6) until the
// stream says that it ends or the text is longer than allowed. An error that is
// no *Error is one of the body.
func readStream(body io.Reader, text *collector) error {
	in := bufio.NewReader(body)
	var event []byte
	hasData := false
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended := err != nil
		line = bytes.TrimRight(line, "\r\n")
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if hasData {
				event = append(event, '\n')
			}
			event, hasData = append(event, bytes.TrimPrefix(value, []byte(" "))...), true
		}
		if hasData && (len(line) == 0 || ended) {
			if string(event) == "[DONE]" {
				text.done = true
				return nil
			}
			if err := text.add(event); err != nil {
				return err
			}
			event, hasData = event[:0], false
		}
		switch {
		case text.full:
			return nil
		case ended && text.finish == "":
			return garbage("the stream ended before the answer did")
		case ended:
			return nil //nolint:nilerr // io.EOF, where an answer may end
		}
	}
}

// readDocument reads an answer in one piece.
func readDocument(body io.Reader, text *collector) error {
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if err := text.add(data); err != nil {
		return err
	}
	if len(text.finish) == 0 && text.runes == 0 {
		return garbage("the answer holds no choice")
	}
	return nil
}
