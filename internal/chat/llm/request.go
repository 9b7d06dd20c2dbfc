package llm

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// request is the body of a chat completion. Fields that some endpoints do not
// know are left out rather than sent empty.
type request struct {
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	Stream   bool      `json:"stream"`
	// MaxTokens is what compatible servers such as Ollama understand;
	// MaxCompletionTokens is what the reasoning models of OpenAI demand instead.
	MaxTokens           int `json:"max_tokens,omitempty"`
	MaxCompletionTokens int `json:"max_completion_tokens,omitempty"`
	// Temperature is refused by reasoning models.
	Temperature *float64 `json:"temperature,omitempty"`
}

// reasoning names the models that think before they answer, as OpenAI names
// them, with or without the maker's name before it.
var reasoning = regexp.MustCompile(`^(?:.*/)?(?:o[1-9]|gpt-[5-9])`)

const (
	// temperature keeps the model to the text it is given.
	temperature = 0.2
	// charactersPerToken is low on purpose: Polish takes more tokens than English.
	charactersPerToken = 2
	// thinkingTokens are added where thinking counts as output.
	thinkingTokens = 4_000
)

func encodeRequest(o *Options, prompt []Message) []byte {
	r := request{Model: o.Model, Messages: prompt, Stream: true}
	tokens := max(o.MaxText/charactersPerToken, 1)
	if reasoning.MatchString(o.Model) {
		r.MaxCompletionTokens = tokens + thinkingTokens
	} else {
		t := temperature
		r.MaxTokens, r.Temperature = tokens, &t
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(&r) //nolint:errchkjson // strings and finite numbers always encode
	return b.Bytes()
}
