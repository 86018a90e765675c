module mizzen.dev/examples/observatory/time-service

go 1.19
