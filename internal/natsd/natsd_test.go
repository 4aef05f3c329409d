package natsd_test

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/zocalo-go/zocalo/internal/natsd"
	"github.com/zocalo-go/zocalo/realtime/adapter"
	"github.com/zocalo-go/zocalo/realtime/adapter/adaptertest"
	natsadapter "github.com/zocalo-go/zocalo/realtime/adapter/nats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start returns a server that ends with the test.
func start(t testing.TB) *natsd.Server {
	t.Helper()
	s, err := natsd.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t testing.TB, s *natsd.Server, more ...nats.Option) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(s.URL(), append(more, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// The nodes of a cluster find in it what they find in NATS.
func TestAdapter(t *testing.T) {
	s := start(t)
	adaptertest.Run(t, func(t *testing.T) adaptertest.Cluster {
		o := natsadapter.Options{Options: adaptertest.Options(), Prefix: rand.Text()}
		outside := connect(t, s)
		var lines adaptertest.Lines
		return adaptertest.Cluster{
			Adapter: func() adapter.Provider {
				return lines.Provider(func(l *adaptertest.Line) adapter.Provider {
					return natsadapter.New(connect(t, s, nats.SetCustomDialer(l)), o)
				})
			},
			Cut: lines.Cut, Heal: lines.Heal,
			Inject: func(b []byte) {
				for _, subject := range []string{o.Prefix + ".nodes", o.Prefix + ".all.nLw"} {
					outside.Publish(subject, b)
				}
				outside.Flush()
			},
		}
	})
}

// subscribe has the server know of a subscription.
func subscribe(t *testing.T, conn *nats.Conn, subject, queue string) *nats.Subscription {
	t.Helper()
	sub, err := conn.QueueSubscribeSync(subject, queue)
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// got are the messages that have come when everything published by from has.
func got(t *testing.T, from *nats.Conn, sub *nats.Subscription, reader *nats.Conn) (list []string) {
	t.Helper()
	for _, conn := range []*nats.Conn{from, reader} {
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for {
		m, err := sub.NextMsg(0)
		if errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrMaxMessages) || errors.Is(err, nats.ErrBadSubscription) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m.Subject+"="+string(m.Data))
	}
}

func TestSubjects(t *testing.T) {
	s := start(t)
	from, to := connect(t, s), connect(t, s)
	for pattern, want := range map[string]string{
		"a.b":   "a.b=1",
		"a.*":   "a.b=1 a.c=2",
		"*.b":   "a.b=1",
		"a.>":   "a.b=1 a.c=2 a.b.c=3",
		">":     "a.b=1 a.c=2 a.b.c=3 a=4",
		"a.*.c": "a.b.c=3",
		"a":     "a=4",
		"*":     "a=4",
		"a.b.>": "a.b.c=3",
		"b.*":   "",
		"a.b*":  "",
	} {
		sub := subscribe(t, to, pattern, "")
		for i, subject := range []string{"a.b", "a.c", "a.b.c", "a"} {
			from.Publish(subject, fmt.Append(nil, i+1))
		}
		if have := strings.Join(got(t, from, sub, to), " "); have != want {
			t.Errorf("%s receives %q, want %q", pattern, have, want)
		}
		sub.Unsubscribe()
	}
}

func TestQueueGroups(t *testing.T) {
	s := start(t)
	from, to := connect(t, s), connect(t, s)
	workers := []*nats.Subscription{subscribe(t, to, "work", "w"), subscribe(t, to, "work", "w"), subscribe(t, to, "work", "other")}
	const jobs = 200
	for range jobs {
		from.Publish("work", nil)
	}
	var n [3]int
	for i, sub := range workers {
		n[i] = len(got(t, from, sub, to))
	}
	if n[0]+n[1] != jobs || n[2] != jobs || n[0] == 0 || n[1] == 0 {
		t.Errorf("the groups got %v of %d", n, jobs)
	}
}

func TestEndOfSubscriptions(t *testing.T) {
	s := start(t)
	from, to := connect(t, s), connect(t, s)
	sub := subscribe(t, to, "a", "")
	from.Publish("a", []byte("1"))
	from.Flush()
	sub.AutoUnsubscribe(3)
	to.Flush()
	for range 4 {
		from.Publish("a", []byte("2"))
	}
	if have := got(t, from, sub, to); len(have) != 3 {
		t.Errorf("got %v", have)
	}
	if _, err := from.Request("a", nil, time.Minute); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("a subscription is left: %v", err)
	}
}

func TestRequests(t *testing.T) {
	s := start(t)
	asks, answers := connect(t, s), connect(t, s)
	if _, err := asks.Request("question", nil, time.Minute); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("nobody there: %v", err)
	}
	_, err := answers.Subscribe("question", func(m *nats.Msg) {
		reply := nats.NewMsg(m.Reply)
		reply.Header.Set("Asked", m.Header.Get("Asks"))
		reply.Data = append([]byte("not "), m.Data...)
		m.RespondMsg(reply)
	})
	if err != nil {
		t.Fatal(err)
	}
	answers.Flush()
	question := nats.NewMsg("question")
	question.Header.Set("Asks", "Ana")
	question.Data = []byte("yet")
	m, err := asks.RequestMsg(question, time.Minute)
	if err != nil || string(m.Data) != "not yet" || m.Header.Get("Asked") != "Ana" {
		t.Errorf("the answer is %v, %v", m, err)
	}
}

func TestOwnMessages(t *testing.T) {
	s := start(t)
	deaf, other := connect(t, s, nats.NoEcho()), connect(t, s)
	mine, theirs := subscribe(t, deaf, "a", ""), subscribe(t, other, "a", "")
	deaf.Publish("a", nil)
	if have := got(t, deaf, mine, deaf); len(have) != 0 {
		t.Errorf("without echo there is %v", have)
	}
	if have := got(t, deaf, theirs, other); len(have) != 1 {
		t.Errorf("the other has %v", have)
	}
}

func TestPassword(t *testing.T) {
	s := start(t)
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []*url.Userinfo{nil, url.User("devserver"), url.UserPassword("devserver", "x")} {
		u.User = user
		if conn, err := nats.Connect(u.String()); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%v: %v", u, err)
			conn.Close()
		}
	}
}

// What is no NATS is told so, and closed.
func TestHostile(t *testing.T) {
	s := start(t)
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	known := fmt.Sprintf("CONNECT {\"user\":\"devserver\",\"pass\":%q}\r\n", password)
	for name, test := range map[string][2]string{
		"no password":     {"SUB > 1\r\n", "Authorization Violation"},
		"no JSON":         {"CONNECT x\r\n", "Unknown Protocol Operation"},
		"HTTP":            {"GET / HTTP/1.1\r\n", "Authorization Violation"},
		"a long line":     {strings.Repeat("x", 1<<20), "Maximum Control Line Exceeded"},
		"twice":           {known + known, "Unknown Protocol Operation"},
		"no verb":         {known + "DANCE\r\n", "Unknown Protocol Operation"},
		"no size":         {known + "PUB a\r\n", "Unknown Protocol Operation"},
		"negative":        {known + "PUB a -1\r\n", "Unknown Protocol Operation"},
		"too much":        {known + "PUB a 1048577\r\n", "Maximum Payload Violation"},
		"overflow":        {known + "PUB a 99999999999999999999\r\n", "Unknown Protocol Operation"},
		"no end":          {known + "PUB a 1\r\nabc", "Unknown Protocol Operation"},
		"large headers":   {known + "HPUB a 9 1\r\na\r\n", "Unknown Protocol Operation"},
		"negative of sub": {known + "UNSUB 1 -1\r\n", "Unknown Protocol Operation"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			go conn.Write([]byte(test[0]))
			in := bufio.NewScanner(conn)
			var last string
			for in.Scan() {
				last = in.Text()
			}
			if want := "-ERR '" + test[1] + "'"; last != want {
				t.Errorf("the last word is %q, want %q", last, want)
			}
		})
	}
	t.Run("subjects", func(t *testing.T) {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		in := bufio.NewScanner(conn)
		in.Scan() // INFO
		fmt.Fprint(conn, known)
		for _, subject := range []string{".", "a.", ".a", "a..b", ">.a", "a.>.b", ">.>"} {
			fmt.Fprintf(conn, "SUB %s 1\r\n", subject)
			if in.Scan(); in.Text() != "-ERR 'Invalid Subject'" {
				t.Errorf("%s is answered %q", subject, in.Text())
			}
		}
	})
}

// A client that does not read is closed, and the others go on.
func TestSlowClient(t *testing.T) {
	s := start(t)
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	slow, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	in := bufio.NewReader(slow)
	fmt.Fprintf(slow, "CONNECT {\"user\":\"devserver\",\"pass\":%q}\r\nSUB a 1\r\nSUB slow 2\r\nPING\r\n", password)
	for line := ""; line != "PONG\r\n"; {
		if line, err = in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	from := connect(t, s)
	for range 200 {
		from.Publish("a", make([]byte, 1<<20-100))
	}
	from.Flush()
	if _, err := from.Request("slow", nil, time.Minute); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("the slow client is still there: %v", err)
	}
}
