module reader

go 1.19

require (
	github.com/openzipkin/zipkin-go v0.4.1
	go.opentelemetry.io/proto/otlp v1.0.0
	google.golang.org/protobuf v1.31.0
)
