package sendertest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
)

// errGone ends a session: the script or the client closed the connection.
var errGone = errors.New("the conversation is over")

type session struct {
	server *SMTP
	conn   net.Conn
	text   *textproto.Conn
	secure bool
	authed bool
	mail   Mail
}

func newSession(server *SMTP, conn net.Conn) *session {
	s := &session{server: server, authed: server.options.Username == ""}
	if server.options.Implicit {
		conn, s.secure = tls.Server(conn, server.tls), true
	}
	s.use(conn)
	return s
}

func (s *session) use(conn net.Conn) {
	s.conn, s.text = conn, textproto.NewConn(conn)
}

func (s *session) run() {
	if s.answer(StageBanner, "220 mail.example ESMTP") != nil {
		return
	}
	for {
		line, err := s.text.ReadLine()
		if err != nil || s.command(line) != nil {
			return
		}
	}
}

// answer sends the reply of a stage, or what its fault says.
func (s *session) answer(stage Stage, lines ...string) error {
	fault, broken := s.server.fault(stage)
	switch {
	case !broken:
	case fault.Hang:
		_, _ = io.Copy(io.Discard, s.conn) // until the client or Stop closes it
		return errGone
	case fault.Drop:
		return errGone
	case fault.Hold != nil:
		<-fault.Hold
	default:
		if err := s.text.PrintfLine("%s", fault.Reply); err != nil {
			return errGone
		}
		return textproto.ProtocolError(fault.Reply)
	}
	for _, line := range lines {
		if err := s.text.PrintfLine("%s", line); err != nil {
			return errGone
		}
	}
	return nil
}

// carryOn forgets a refusal, after which the conversation goes on.
func carryOn(err error) error {
	if refusal, ok := errors.AsType[textproto.ProtocolError](err); ok {
		if strings.HasPrefix(refusal.Error(), "421") {
			return errGone // RFC 5321, 3.8: the server closes after 421
		}
		return nil
	}
	return err
}

func (s *session) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	noted := line
	if verb == "AUTH" {
		noted = verb
	}
	s.server.noteCommand(noted)
	switch verb {
	case "EHLO":
		return carryOn(s.answer(StageEHLO, s.extensions()...))
	case "STARTTLS":
		return s.startTLS()
	case "AUTH":
		return carryOn(s.auth(rest))
	case "MAIL":
		if !s.authed {
			return s.say("530 5.7.0 authentication required")
		}
		s.mail = Mail{From: path(rest)}
		return carryOn(s.answer(StageMail, "250 2.1.0 ok"))
	case "RCPT":
		err := s.answer(StageRcpt, "250 2.1.5 ok")
		if err == nil {
			s.mail.To = append(s.mail.To, path(rest))
		}
		return carryOn(err)
	case "DATA":
		return carryOn(s.data())
	case "RSET", "NOOP", "HELO":
		return s.say("250 2.0.0 ok")
	case "QUIT":
		_ = s.answer(StageQuit, "221 2.0.0 bye")
		return errGone
	}
	return s.say("502 5.5.1 unknown command")
}

func (s *session) say(line string) error {
	if err := s.text.PrintfLine("%s", line); err != nil {
		return errGone
	}
	return nil
}

func (s *session) extensions() []string {
	lines := []string{"250-mail.example", "250-8BITMIME", "250-ENHANCEDSTATUSCODES"}
	if s.server.options.StartTLS && !s.secure {
		lines = append(lines, "250-STARTTLS")
	}
	if s.server.options.Username != "" {
		lines = append(lines, "250-AUTH "+s.server.options.Mechs)
	}
	return append(lines, "250 SIZE 10485760")
}

func (s *session) startTLS() error {
	if !s.server.options.StartTLS || s.secure {
		return s.say("502 5.5.1 no STARTTLS here")
	}
	if err := s.answer(StageStartTLS, "220 2.0.0 go ahead"); err != nil {
		return carryOn(err)
	}
	s.secure = true
	s.use(tls.Server(s.conn, s.server.tls))
	return nil
}

func (s *session) auth(rest string) error {
	mech, initial, _ := strings.Cut(rest, " ")
	var username, password string
	switch strings.ToUpper(mech) {
	case "PLAIN":
		parts := strings.Split(decode(initial), "\x00")
		if len(parts) == 3 {
			username, password = parts[1], parts[2]
		}
	case "LOGIN":
		for _, field := range []*string{&username, &password} {
			if err := s.say("334 " + base64.StdEncoding.EncodeToString([]byte("?"))); err != nil {
				return err
			}
			line, err := s.text.ReadLine()
			if err != nil {
				return errGone
			}
			*field = decode(line)
		}
	default:
		return s.say("504 5.5.4 unknown mechanism")
	}
	if username != s.server.options.Username || password != s.server.options.Password {
		return s.say("535 5.7.8 wrong user name or password")
	}
	err := s.answer(StageAuth, "235 2.7.0 welcome")
	s.authed = err == nil
	return err
}

func (s *session) data() error {
	if err := s.answer(StageData, "354 go ahead"); err != nil {
		return err
	}
	text, err := io.ReadAll(bufio.NewReader(s.text.DotReader()))
	if err != nil {
		return errGone
	}
	s.mail.Data = text
	fault, broken := s.server.fault(StageDot)
	if !broken || fault.Keep {
		s.server.noteMail(s.mail)
	}
	return s.answer(StageDot, "250 2.0.0 queued")
}

// path takes the address out of "FROM:<a@b> SIZE=1".
func path(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}

func decode(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return ""
	}
	return string(raw)
}
