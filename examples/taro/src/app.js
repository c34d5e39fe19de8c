// First: what is imported after it may send requests.
import './session'

export default function App({ children }) {
  return children
}
