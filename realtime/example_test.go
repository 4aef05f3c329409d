package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/zocalo-go/zocalo/realtime"
)

// Order and Receipt are what the examples' clients send and get.
type Order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

type Receipt struct {
	Number int `json:"number"`
}

func store(ctx context.Context, o Order) (int, error) { return 7, ctx.Err() }

func Example() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Join("plaza")
		socket.On("message", func(text string) {
			socket.To("plaza").Emit("message", text)
		})
		socket.On("disconnect", func(reason string) {
			server.To("plaza").Emit("left", socket.ID(), reason)
		})
	})
	http.Handle("/socket.io/", server)
	log.Fatal(http.ListenAndServe(":8080", nil))
}

// A server that is mounted elsewhere must know its path, and so must its
// clients: io({ path: "/live/" }).
func ExampleConfig_path() {
	server := realtime.NewServer(realtime.Config{Path: "/live/"})
	http.Handle("/live/", server)
}

func ExampleServer() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		log.Printf("%s came from %s", socket.ID(), socket.Handshake().Address)
		socket.On("disconnect", func(reason string) {
			log.Printf("%s left: %s", socket.ID(), reason)
		})
	})
}

// What a handler takes is what the client sends; what it returns is the
// acknowledgement that the client waits for.
func ExampleSocket_On() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("message", func(text string, tags []string) { // socket.emit("message", "hola", ["a", "b"])
			log.Print(text, tags)
		})
		socket.On("order", func(ctx context.Context, o Order) (Receipt, error) { // await socket.emitWithAck("order", {…})
			if o.Count < 1 {
				return Receipt{}, errors.New("order at least one")
			}
			number, err := store(ctx, o)
			return Receipt{Number: number}, err
		})
		socket.On("sum", func(numbers ...int) int { // socket.emit("sum", 1, 2, 3, (sum) => …)
			sum := 0
			for _, n := range numbers {
				sum += n
			}
			return sum
		})
	})
}

// An Ack answers when, and from where, you like.
func ExampleAck() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("report", func(year int, ack realtime.Ack) {
			go func() {
				time.Sleep(time.Second) // the socket's other events go on meanwhile
				ack("ready", year)
			}()
		})
	})
}

func ExampleSocket_Emit() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Emit("hello", 1, "2", map[string]any{"3": "4", "5": []byte{6}})
		socket.Send("hola") // emits "message"

		// A function as the last argument is called with the client's answer.
		socket.Emit("question", "how many?", func(n int) {
			log.Print("the client says ", n)
		})
	})
}

// With Timeout, the callback begins with an error.
func ExampleSocket_Timeout() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.Timeout(5*time.Second).Emit("question", "how many?", func(err error, n int) {
			if errors.Is(err, realtime.ErrAckTimeout) {
				log.Print("no answer in five seconds")
				return
			}
			log.Print("the client says ", n)
		})
	})
}

func ExampleSocket_EmitWithAck() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		answer, err := socket.Timeout(5*time.Second).EmitWithAck(socket.Context(), "question", "how many?")
		if err != nil {
			log.Print(err) // no answer in time, or the client has gone
			return
		}
		var n int
		if err := answer.Decode(&n); err != nil {
			log.Print(err) // it is no number
		}
	})
}

// Call knows the type of the answer.
func ExampleCall() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		ctx, cancel := context.WithTimeout(socket.Context(), 5*time.Second)
		defer cancel()
		receipt, err := realtime.Call[Order, Receipt](ctx, socket, "confirm", Order{Item: "corn", Count: 2})
		if err != nil {
			log.Print(err)
			return
		}
		log.Print(receipt.Number)
	})
}

// On lets the compiler check the handler's type.
func ExampleOn() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		realtime.On(socket, "order", func(ctx context.Context, o Order) error {
			_, err := store(ctx, o)
			return err
		})
	})
}

// Bytes are binary wherever they stand, and arrive as bytes.
func ExampleSocket_On_binary() {
	type Picture struct {
		Name string `json:"name"`
		Data []byte `json:"data"`
	}
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("upload", func(name string, data []byte) int { // socket.emit("upload", "cat", new Uint8Array(…))
			return len(data)
		})
		socket.On("picture", func(p Picture) { // socket.emit("picture", { name: "cat", data: blob })
			socket.Broadcast().Emit("picture", p)
		})
	})
}

// Args are arguments that are decoded later, or sent on as they are.
func ExampleArgs() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		socket.On("relay", func(to string, rest realtime.Args) {
			socket.To(to).Emit("relayed", rest.Values()...)
		})
		socket.OnAny(func(event string, args realtime.Args) {
			log.Printf("%s with %d arguments", event, args.Len())
		})
		socket.OnAnyOutgoing(func(event string, args realtime.Args) {
			log.Printf("%s to the client", event)
		})
	})
}

func ExampleListener() {
	server := realtime.NewServer(realtime.Config{})
	server.On("connection", func(socket *realtime.Socket) {
		typing := socket.On("typing", func(on bool) { fmt.Println(on) })
		socket.Once("ready", func() { log.Print("ready") })
		socket.On("quiet", func() {
			typing.Off()
		})
	})
}
