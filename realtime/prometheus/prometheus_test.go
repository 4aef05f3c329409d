package prometheus_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/zocalo-go/zocalo/realtime"
	"github.com/zocalo-go/zocalo/realtime/prometheus"
)

// expect compares the series of the metrics named, without help and type.
func expect(t *testing.T, registry *prom.Registry, want string, names ...string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		for _, name := range names {
			if f.GetName() != name {
				continue
			}
			for _, m := range f.GetMetric() {
				labels := ""
				for _, l := range m.GetLabel() {
					labels += fmt.Sprintf("{%s=%q}", l.GetName(), l.GetValue())
				}
				got = append(got, fmt.Sprintf("%s%s %v", name, labels, m.GetCounter().GetValue()+m.GetGauge().GetValue()))
			}
		}
	}
	if got := strings.Join(got, "\n"); got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A polling client joins, sends an event and one that does not fit, and leaves.
func TestServer(t *testing.T) {
	metrics := prometheus.New(prometheus.Config{})
	registry := prom.NewPedanticRegistry()
	registry.MustRegister(metrics)
	server := realtime.NewServer(realtime.Config{Metrics: metrics})
	server.On("connection", func(s *realtime.Socket) {
		s.On("number", func(n int) { s.Emit("twice", 2*n) })
	})
	web := httptest.NewServer(server)
	defer web.Close()

	url := web.URL + "/socket.io/?EIO=4&transport=polling"
	ask := func(method, url, body string, want int) string {
		t.Helper()
		r, err := http.NewRequest(method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := web.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s %s: %s, %v; want status %d", method, url, res.Status, err, want)
		}
		return string(answer)
	}
	ask("GET", url+"&sid=nobody", "", 400)
	url += "&sid=" + regexp.MustCompile(`"sid":"(.*?)"`).FindStringSubmatch(ask("GET", url, "", 200))[1]
	ask("POST", url, "40", 200)
	ask("GET", url, "", 200)
	expect(t, registry, `
zocalo_realtime_connections{transport="polling"} 1
zocalo_realtime_connections{transport="websocket"} 0
zocalo_realtime_sockets{namespace="/"} 1
`, "zocalo_realtime_connections", "zocalo_realtime_sockets")
	ask("POST", url, `42["number",21]`+"\x1e"+`421["number","x"]`, 200)
	for got := ""; !strings.Contains(got, "43"); { // the acknowledgement comes last
		got = ask("GET", url, "", 200)
	}
	ask("POST", url, "1", 200)
	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, registry, `
zocalo_realtime_bad_arguments_total{namespace="/"} 1
zocalo_realtime_buffered_bytes 0
zocalo_realtime_connections{transport="polling"} 0
zocalo_realtime_connections{transport="websocket"} 0
zocalo_realtime_disconnections_total{reason="forced close"} 0
zocalo_realtime_disconnections_total{reason="parse error"} 0
zocalo_realtime_disconnections_total{reason="ping timeout"} 0
zocalo_realtime_disconnections_total{reason="transport close"} 1
zocalo_realtime_disconnections_total{reason="transport error"} 0
zocalo_realtime_pending_events 0
zocalo_realtime_received_events_total{namespace="/"} 2
zocalo_realtime_sent_events_total{namespace="/"} 1
zocalo_realtime_sockets{namespace="/"} 0
`, "zocalo_realtime_bad_arguments_total", "zocalo_realtime_buffered_bytes", "zocalo_realtime_connections",
		"zocalo_realtime_disconnections_total", "zocalo_realtime_pending_events", "zocalo_realtime_received_events_total",
		"zocalo_realtime_sent_events_total", "zocalo_realtime_sockets")
	for metric, label := range map[realtime.Metric]string{
		realtime.MetricRefusals: "1", realtime.MetricBytesIn: "polling", realtime.MetricBytesOut: "polling",
		realtime.MetricPacketsIn: "polling", realtime.MetricPacketsOut: "polling",
	} {
		if value(t, metrics, metric, label) == 0 {
			t.Errorf("%s of %s: none", metric, label)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("names and helps: %v, %v", problems, err)
	}
}

// value returns what a counter has, by adding one and comparing.
func value(t *testing.T, c *prometheus.Collector, metric realtime.Metric, label string) float64 {
	t.Helper()
	before := sum(t, c)
	c.Add(metric, label, 1)
	for name, v := range sum(t, c) {
		if v != before[name] {
			return before[name]
		}
	}
	t.Fatalf("%s of %q is not counted", metric, label)
	return 0
}

// sum returns all series by their name and labels.
func sum(t *testing.T, c *prometheus.Collector) map[string]float64 {
	t.Helper()
	registry := prom.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			all[f.GetName()+fmt.Sprint(m.GetLabel())] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

// Every metric of package realtime is collected: one that is added there and
// forgotten here fails.
func TestCountsEveryMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../metrics.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || fmt.Sprint(spec.Type) != "Metric" {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if got := value(t, prometheus.New(prometheus.Config{}), realtime.Metric(name), "x"); got != 0 {
			t.Errorf("%s is %v from the beginning", name, got)
		}
		return true
	})
	if seen < 20 {
		t.Errorf("found %d metrics only; is the list of them still in metrics.go?", seen)
	}
}

func TestNamespacesAreBounded(t *testing.T) {
	long := "/" + strings.Repeat("x", 200)
	tests := []struct {
		name   string
		config prometheus.Config
		joined []string
		want   string
	}{
		{"few", prometheus.Config{}, []string{"/", "/a", "/a"}, `
zocalo_realtime_sockets{namespace="/"} 1
zocalo_realtime_sockets{namespace="/a"} 2`},
		{"too many", prometheus.Config{MaxNamespaces: 2}, []string{"/", "/a", "/b", "/c", "/a", "/b"}, `
zocalo_realtime_sockets{namespace="/"} 1
zocalo_realtime_sockets{namespace="/a"} 2
zocalo_realtime_sockets{namespace="other"} 3`},
		{"one of the name other", prometheus.Config{MaxNamespaces: 1}, []string{"other", "/", "/a"}, `
zocalo_realtime_sockets{namespace="/"} 1
zocalo_realtime_sockets{namespace="other"} 2`},
		{"too long", prometheus.Config{}, []string{long, long, "/"}, `
zocalo_realtime_sockets{namespace="/"} 1
zocalo_realtime_sockets{namespace="other"} 2`},
		{"no UTF-8", prometheus.Config{}, []string{"/\xff", "/\xfe"}, `
zocalo_realtime_sockets{namespace="/` + "\uFFFD" + `"} 2`},
		{"renamed", prometheus.Config{NamespaceLabel: func(name string) string {
			if strings.HasPrefix(name, "/room-") {
				return "/room-*"
			}
			return name
		}}, []string{"/", "/room-1", "/room-2"}, `
zocalo_realtime_sockets{namespace="/"} 1
zocalo_realtime_sockets{namespace="/room-*"} 2`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := prometheus.New(test.config)
			registry := prom.NewPedanticRegistry()
			registry.MustRegister(c)
			for _, name := range test.joined {
				c.Add(realtime.MetricSockets, name, 1)
			}
			expect(t, registry, test.want, "zocalo_realtime_sockets")
			for _, name := range test.joined {
				c.Add(realtime.MetricSockets, name, -1)
			}
			for name, v := range sum(t, c) {
				if v != 0 {
					t.Errorf("%s is %v when all have left", name, v)
				}
			}
		})
	}
}

func TestIgnoresWhatItDoesNotKnow(t *testing.T) {
	c := prometheus.New(prometheus.Config{})
	c.Add("unheard_of", "/", 1)
	c.Add(realtime.MetricEventsIn, "/", -1) // a counter only grows; client_golang's would panic
	for name, v := range sum(t, c) {
		if v != 0 {
			t.Errorf("%s is %v", name, v)
		}
	}
}

func TestConcurrentAdd(t *testing.T) {
	c := prometheus.New(prometheus.Config{MaxNamespaces: 5})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 1000 {
				c.Add(realtime.MetricEventsIn, "/"+strconv.Itoa((i+j)%10), 1)
			}
		})
	}
	all.Wait()
	total := 0.0
	for _, v := range sum(t, c) {
		total += v
	}
	if total != 8000 {
		t.Errorf("counted %v, want 8000", total)
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	c := prometheus.New(prometheus.Config{MaxNamespaces: 1, NamespaceLabel: func(name string) string { return name }})
	for metric, label := range map[realtime.Metric]string{
		realtime.MetricBytesOut: "websocket", realtime.MetricBuffered: "", realtime.MetricEventsOut: "/",
	} {
		if n := testing.AllocsPerRun(100, func() { c.Add(metric, label, 10) }); n != 0 {
			t.Errorf("%s: %v allocations", metric, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.Add(realtime.MetricEventsIn, "/one too many", 1) }); n != 0 {
		t.Errorf("above the limit: %v allocations", n)
	}
}

func TestBadOptions(t *testing.T) {
	for want, config := range map[string]prometheus.Config{
		"use letters, digits and _":  {Prefix: "my-app "},
		"leave it 0 for the default": {MaxNamespaces: -1},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "prometheus: ") || !strings.Contains(got, want) {
					t.Errorf("%+v: %s, want …%s…", config, got, want)
				}
			}()
			prometheus.New(config)
		}()
	}
}

func BenchmarkAdd(b *testing.B) {
	c := prometheus.New(prometheus.Config{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add(realtime.MetricEventsOut, "/", 1)
		}
	})
}
