//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// browser is what a browser sends with each request.
const browser = "Host: 127.0.0.1:%[1]d\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
	"Chrome/126.0.0.0 Safari/537.36\r\nOrigin: http://127.0.0.1:%[1]d\r\nAccept: */*\r\nAccept-Language: en-US,en;q=0.9\r\n"

// webSocketRequest asks for a WebSocket, for a session that polls or a new one.
func (l *load) webSocketRequest(sid []byte) []byte {
	b := append([]byte(nil), "GET /socket.io/?EIO=4&transport=websocket"...)
	if sid != nil {
		b = append(append(b, "&sid="...), sid...)
	}
	b = fmt.Appendf(append(b, " HTTP/1.1\r\n"...), browser, l.port)
	return append(b, "Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"...)
}

// pollRequest is a GET or, with a body, a POST.
func (l *load) pollRequest(sid, body []byte) []byte {
	method := "GET"
	if body != nil {
		method = "POST"
	}
	b := append([]byte(method), " /socket.io/?EIO=4&transport=polling&t="...)
	b = strconv.AppendInt(b, l.now(), 36)
	if sid != nil {
		b = append(append(b, "&sid="...), sid...)
	}
	b = fmt.Appendf(append(b, " HTTP/1.1\r\n"...), browser, l.port)
	b = append(b, "Connection: keep-alive\r\n"...)
	if body != nil {
		b = fmt.Appendf(b, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(b, "\r\n"...), body...)
}

// takeAnswer takes the answer that b begins with and returns its length; 0 if b ends within it.
func (c *conn) takeAnswer(b []byte) int {
	head, _, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if !found {
		return 0
	}
	n := len(head) + 4
	if len(head) < 12 {
		c.load.fail("no HTTP: %q", head)
		return len(b)
	}
	status, _ := strconv.Atoi(string(head[9:12]))
	if status == 101 {
		c.state = webSocket
		c.answered(status, nil)
		return n
	}
	var body []byte
	if value, ok := header(head, "Transfer-Encoding"); ok && string(value) == "chunked" {
		taken := 0
		if body, taken = chunks(b[n:]); taken == 0 {
			return 0
		}
		n += taken
	} else if value, ok := header(head, "Content-Length"); ok {
		length, err := strconv.Atoi(string(value))
		if err != nil || len(b) < n+length {
			return 0
		}
		body = b[n : n+length]
		n += length
	}
	c.answered(status, body)
	return n
}

// header finds a header's value in the head of an answer.
func header(head []byte, name string) ([]byte, bool) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:]), true
		}
	}
	return nil, false
}

// chunks returns a chunked body and the length it had; 0 if b ends within it.
func chunks(b []byte) (body []byte, taken int) {
	for {
		line, _, found := bytes.Cut(b[taken:], []byte("\r\n"))
		size, err := strconv.ParseUint(string(line), 16, 31)
		start := taken + len(line) + 2
		if !found || err != nil || len(b) < start+int(size)+2 {
			return nil, 0
		}
		body = append(body, b[start:start+int(size)]...)
		if taken = start + int(size) + 2; size == 0 {
			return body, taken
		}
	}
}
