//go:build unix

package nats

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// Other servers of a NATS cluster hear of a node's subscriptions one after the other: of
// what it is to hear as one of all last, so that it is not thought to be there before it
// hears the rest.
func TestSubscribesInOrder(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	subscribed := make(chan string, 10)
	go func() { // a NATS server, as far as that matters here
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"max_payload\":1048576}\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch command, rest, _ := strings.Cut(lines.Text(), " "); command {
			case "PING":
				fmt.Fprint(conn, "PONG\r\n")
			case "SUB":
				subject, _, _ := strings.Cut(rest, " ")
				subscribed <- subject
			}
		}
	}()
	conn, err := nats.Connect("nats://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	e := newEngine(conn, newSubjects("test"))
	if err := e.Start("node", &given{}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got := []string{<-subscribed, <-subscribed, <-subscribed}
	if want := []string{"test.all.*", "test.node.node", "test.nodes"}; !slices.Equal(got, want) {
		t.Errorf("it subscribes to %q, want %q", got, want)
	}
}
