package cn.example.orders;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.config.annotation.method.configuration.EnableMethodSecurity;

/** A back end. Who a request is, Spring Security learns by application.yml alone. */
@SpringBootApplication
@EnableMethodSecurity
public class Orders {
    public static void main(String[] args) {
        SpringApplication.run(Orders.class, args);
    }
}
