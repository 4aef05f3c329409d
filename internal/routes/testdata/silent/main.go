// Command silent never listens.
package main

func main() { println("good-bye") }
