module reader

go 1.24

require (
	github.com/openzipkin/zipkin-go v0.4.3
	go.opentelemetry.io/proto/otlp v1.7.0
	google.golang.org/protobuf v1.36.12
)
